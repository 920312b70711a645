"""The application as on loopback, for attacks from this machine."""

from __future__ import annotations

import asyncpg
import pytest
from fastapi import FastAPI

from api.app import create_app
from tests.integration.api import builders


@pytest.fixture
async def app(pool: asyncpg.Pool) -> FastAPI:
    """The application as on loopback."""
    return create_app(pool=pool, kinds=builders.KINDS, now=builders.now, token_required=False)
