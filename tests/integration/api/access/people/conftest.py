"""The application as beyond loopback, and a browser in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.app import create_app
from api.http import identification
from people import passwords
from tests.integration.api import builders
from tests.integration.api.access.people.builders import Clock, browsing


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash in a moment, and ask the database about a caller every time."""
    cheap = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "hasher", PasswordHash((cheap,)))
    monkeypatch.setattr(identification, "KNOWN_S", 0.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def guarded(pool: asyncpg.Pool, clock: Clock) -> FastAPI:
    """The application as beyond loopback, where administrators need an app."""
    return create_app(pool=pool, kinds=builders.KINDS, now=clock, beyond_loopback=True, totp_required=True)


@pytest.fixture
async def browser(guarded: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with browsing(guarded) as client:
        yield client
