"""The application on a real database: in process, and behind a real server on a free port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from nabd.accounts.grants import Account
from store.pool import open_pool
from tests.databases import as_account
from tests.integration.api import builders
from tests.kept_channel import KeptChannel
from tests.serving import serving


@pytest.fixture
def kept() -> KeptChannel:
    """The e-mail channel of `app`."""
    return KeptChannel()


@pytest.fixture
async def own_pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The pool of `app`, who has the account of `nabd api` and may do no more than that."""
    pool = await open_pool(as_account(dsn, Account.API))
    yield pool
    try:
        await asyncio.wait_for(pool.close(), timeout=5)
    except TimeoutError:
        pool.terminate()


@pytest.fixture
async def app(pool: asyncpg.Pool, own_pool: asyncpg.Pool, kept: KeptChannel, tmp_path: Path) -> FastAPI:
    """The application as on loopback."""
    await builders.let_in(pool)
    return create_app(
        pool=own_pool,
        kinds=builders.KINDS,
        now=builders.now,
        beyond_loopback=False,
        channels={"email": kept},
        photo_dir=tmp_path / "photos",
    )


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A program that may do everything and asks the application, without a server between."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=builders.BEARER
    ) as client:
        yield client


@asynccontextmanager
async def bearing(
    pool: asyncpg.Pool, token: str, photo_dir: Path | None = None
) -> AsyncIterator[httpx2.AsyncClient]:
    """A program that asks with a token an application which wants one."""
    app = create_app(
        pool=pool,
        kinds=builders.KINDS,
        now=builders.now,
        beyond_loopback=True,
        channels={"email": KeptChannel()},
        photo_dir=photo_dir,
        relaying=builders.Committed(),
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=headers
    ) as client:
        yield client


@pytest.fixture
async def server(app: FastAPI) -> AsyncIterator[str]:
    """Address of the application behind a real server."""
    async with serving(app) as url:
        yield url
