"""Tokens that people and tokens make, and with whom they end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from fastapi import FastAPI

from devices.registry.errors import Conflict
from people import tokens
from people.editing import delete_person, disable_person, edit_person
from people.identity import of_texts
from people.roles import Role
from store.audit import PLATFORM, Actor
from tests.integration.api import builders
from tests.integration.api.access.people.builders import Clock, add, bearer, browsing


@pytest.mark.parametrize("end", [disable_person, delete_person])
async def test_tokens_that_a_person_made_end_with_the_person(
    pool: asyncpg.Pool, connection: asyncpg.Connection, clock: Clock, end: Callable[..., Awaitable[object]]
) -> None:
    person = await add(connection, "rima", "admin")
    await add(connection, "amal", "admin")
    new = tokens.NewToken(name="export", role=Role.VIEWER)
    hers = await tokens.create_token(connection, new, clock(), by=Actor(principal=person.id, address=""))
    other = await tokens.create_token(connection, new, clock(), by=PLATFORM)

    await end(connection, "rima", clock(), by=PLATFORM)

    assert await tokens.identity_of(connection, hers, clock()) is None
    assert await tokens.identity_of(connection, other, clock()) is not None
    revoked = await connection.fetch("SELECT subject FROM audit WHERE action = 'token.revoke'")
    assert len(revoked) == 1


async def test_tokens_are_listed_by_page_where_the_caller_manages_them(
    guarded: FastAPI, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection, "tripoli")
    headers = {
        "Authorization": f"Bearer {await builders.token(connection, role='admin', municipality='tripoli')}"
    }
    await builders.token(connection, "elsewhere")
    for name in ("a", "b"):
        await builders.token(connection, name, role="viewer", municipality="tripoli")
    async with browsing(guarded) as admin:
        admin.headers.update(headers)
        first = (await admin.get("/api/v1/tokens?limit=2&fields=id,name")).json()
        second = (await admin.get(first["next"])).json()

    assert [[one["name"] for one in page["items"]] for page in (first, second)] == [["test", "a"], ["b"]]
    assert second["next"] is None


async def test_last_use_of_a_token_is_written_once_a_minute(
    guarded: FastAPI, connection: asyncpg.Connection, clock: Clock
) -> None:
    headers = {"Authorization": f"Bearer {await builders.token(connection)}"}
    seen = []
    async with browsing(guarded) as program:
        for step_s in (0, 59, 2):
            clock.at += timedelta(seconds=step_s)
            assert (await program.get("/api/v1/devices", headers=headers)).status_code == 200
            seen.append(await connection.fetchval("SELECT last_used_at FROM token"))

    assert seen == [builders.NOON, builders.NOON, clock.at]


async def test_token_made_with_a_token_is_bounded_by_it_and_ends_with_their_person(
    guarded: FastAPI, connection: asyncpg.Connection, clock: Clock
) -> None:
    person = await add(connection, "rima", "admin")
    until = clock.at + timedelta(days=1)
    new = tokens.NewToken(name="hers", role=Role.ADMIN, expires_at=until)
    hers = await tokens.create_token(connection, new, clock(), by=Actor(principal=person.id, address=""))
    await builders.add_town(connection, "tripoli")
    await add(connection, "amal", "admin")
    wanted = {"name": "its", "role": "viewer"}
    async with browsing(guarded) as program:
        program.headers.update(bearer(hers))
        for_ever = await program.post("/api/v1/tokens", json=wanted)
        made = await program.post("/api/v1/tokens", json={**wanted, "expires_at": until.isoformat()})
    assert (for_ever.status_code, made.status_code) == (422, 201)

    await disable_person(connection, "rima", clock(), by=PLATFORM)

    assert await tokens.identity_of(connection, made.json()["token"], clock()) is None


async def test_demoted_person_keeps_the_tokens_that_they_could_still_make(
    connection: asyncpg.Connection, clock: Clock
) -> None:
    await add(connection, "amal", "admin")
    person = await add(connection, "rima", "admin", "admin@tripoli")
    by = Actor(principal=person.id, address="")
    everywhere, in_town = [
        await tokens.create_token(
            connection, tokens.NewToken(name="x", role=Role.VIEWER, municipality=town), clock(), by=by
        )
        for town in (None, "tripoli")
    ]

    await edit_person(
        connection, "rima", {}, clock(), by=PLATFORM, grants=of_texts(["admin@tripoli", "viewer"])
    )

    assert await tokens.identity_of(connection, everywhere, clock()) is None
    assert await tokens.identity_of(connection, in_town, clock()) is not None


async def test_revoked_token_ends_what_was_made_with_it(connection: asyncpg.Connection, clock: Clock) -> None:
    new = tokens.NewToken(name="x", role=Role.ADMIN)
    first = await tokens.create_token(connection, new, clock(), by=PLATFORM)
    maker = await tokens.identity_of(connection, first, clock())
    assert maker is not None
    by = Actor(principal=maker.principal, address="")
    second = await tokens.create_token(connection, new, clock(), by=by)

    await tokens.revoke_token(connection, 1, clock(), by=PLATFORM)

    assert await tokens.identity_of(connection, second, clock()) is None
    with pytest.raises(Conflict):
        await tokens.create_token(connection, new, clock(), by=by)
