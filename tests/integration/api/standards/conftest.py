"""A follower of subscriptions, its clock, a receiver and a device."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import asyncpg
import pytest
from fastapi import FastAPI

from api.standards.ngsi_ld.subscriptions import following, noticing
from devices.registry.registry import Device
from tests.integration.api import builders
from tests.integration.api.standards.following import HERE, Clock, Follow, following_now
from tests.unit.notify.channels.services import HttpService, http, serving


@pytest.fixture
def clock() -> Clock:
    """The clock of `follow`; the application's stands at noon."""
    return Clock()


@pytest.fixture
def follow(dsn: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Follow:
    """Return what follows as long as its block runs, and looks often."""
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    monkeypatch.setattr(noticing, "DEEP_S", 0.1)
    return partial(following_now, dsn, clock)


@pytest.fixture
def reaching_here(app: FastAPI) -> None:
    """Let subscriptions name this machine."""
    app.state.context = replace(app.state.context, webhook_targets=HERE)


@pytest.fixture
async def receiver() -> AsyncIterator[HttpService]:
    """Somebody who takes notifications."""
    async with serving(HttpService(http(204))) as service:
        yield service


@pytest.fixture
async def bin_1(connection: asyncpg.Connection) -> Device:
    return await builders.add(connection, "bin-1", lat=34.43, lon=35.84, title="Souk")
