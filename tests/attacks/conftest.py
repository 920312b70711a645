"""The application as on loopback, for attacks from this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from tests.integration.api import builders


@pytest.fixture
async def app(pool: asyncpg.Pool) -> FastAPI:
    """The application as on loopback."""
    return create_app(pool=pool, kinds=builders.KINDS, now=builders.now, token_required=False)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A program that asks the application, without a server between."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
