"""People with passwords, browsers, and a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI

from devices.instants import to_microseconds
from people.editing import NewPerson, add_person
from people.identity import of_texts
from people.person import Person
from people.sessions import SessionLimits
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.waiting import eventually

PASSWORD = "three short words"


LIMITS = SessionLimits()


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.at = builders.NOON

    def __call__(self) -> int:
        return to_microseconds(self.at)


@asynccontextmanager
async def browsing(app: FastAPI, address: str = "192.0.2.1") -> AsyncIterator[httpx2.AsyncClient]:
    """A browser somewhere, which keeps cookies and is signed in nowhere yet."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://nabd.example.org") as client:
        yield client


async def add(connection: asyncpg.Connection, name: str = "rima", *roles: str, **more: Any) -> Person:
    """Add a person with a password, and the towns of their roles."""
    for role in roles or ("operator@tripoli",):
        if town := role.partition("@")[2]:
            await builders.add_town(connection, town)
    grants = sorted(of_texts(roles or ("operator@tripoli",)), key=str)
    new = NewPerson(**{"name": name, "password": PASSWORD, "grants": grants, **more})
    return await add_person(connection, new, builders.now(), by=PLATFORM)


async def sign_in(client: httpx2.AsyncClient, name: str = "rima", **said: str) -> httpx2.Response:
    return await client.post("/signin", data={"name": name, "password": PASSWORD, **said})


async def who(client: httpx2.AsyncClient) -> Any:
    answer = await client.get("/api/v1/session")
    return answer.json().get("user") if answer.status_code == 200 else answer.status_code


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def eventually_waits_for_a_lock(connection: asyncpg.Connection) -> None:
    async def waits() -> bool:
        sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1)"
        return bool(await connection.fetchval(sql, await connection.fetchval("SELECT current_database()")))

    await eventually(waits)
