"""A town with a way in by HTTP: the API beside a real ingest, a real broker and a real database."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from devices.credentials.issuing import rotate_passwords
from devices.registry import editing
from devices.registry.registration import NewDevice, add_device
from devices.sources.registration import add_source
from devices.sources.source import NewSource, Way
from devices.sources.translation import ALL
from nabd.accounts.grants import Account
from nabd.broker.address import BrokerAddress
from nabd.broker.relaying import ways_in
from people.roles import Role
from store.audit import PLATFORM
from store.pool import open_pool
from tests.databases import as_account
from tests.integration.api import builders
from tests.integration.ingest.conftest import KINDS, Town
from tests.integration.ingest.conftest import town as town
from tests.waiting import now

SECRET = "what-only-we-and-the-platform-know"
EUI = "70B3D57BA0001234"
"""A bin that a network server hears, with a level sensor of Decentlab."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """The API of a town. password: that of b1, which the gateway `http` relays; b2 has one and no gateway."""

    town: Town
    app: FastAPI
    client: httpx2.AsyncClient
    passwords: dict[str, str]

    def auth(self, device: str = "b1") -> httpx2.BasicAuth:
        return httpx2.BasicAuth(device, self.passwords[device])


async def open_way(town: Town) -> None:
    """Let b1 post."""
    source = NewSource(name="http", municipality="tripoli", format="nabd", way=Way.WEBHOOK)
    await add_source(town.connection, KINDS, source, ALL, now, by=PLATFORM)
    await editing.edit_device(town.connection, KINDS, "b1", {"relays": ["http"]}, now=now, by=PLATFORM)


async def open_webhook(town: Town, format: str = "chirpstack", profile: str = "decentlab-dl-mbx") -> None:  # noqa: A002
    """Let a network server deliver what it hears of EUI."""
    source = NewSource(
        name="lorawan", municipality="tripoli", format=format, way=Way.WEBHOOK, profile=profile
    )
    await add_source(town.connection, KINDS, source, ALL, now, secret=SECRET, by=PLATFORM)
    new = NewDevice(name=EUI, kind="bin", municipality="tripoli", relays=("lorawan",))
    await add_device(town.connection, KINDS, new, now, by=PLATFORM)


@pytest.fixture
async def way_in(town: Town, dsn: str) -> AsyncIterator[WayIn]:
    """The way in, without ingest: a test starts it."""
    await open_way(town)
    issued = await rotate_passwords(
        town.connection, KINDS, ["b1", "b2", "g1"], now=now, by=PLATFORM, random=secrets.token_bytes
    )
    pool = await open_pool(as_account(dsn, Account.API))
    ways = ways_in(BrokerAddress(host=town.broker.host, port=town.broker.port), pool, KINDS, now)
    running = asyncio.create_task(ways.run())
    app = create_app(
        pool=pool,
        kinds=KINDS,
        now=now,
        beyond_loopback=False,
        relaying=ways.relays,
        deliveries=ways.deliveries,
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield WayIn(
            town=town, app=app, client=client, passwords={one.username: one.password for one in issued}
        )
    running.cancel()
    await asyncio.wait([running])
    await pool.close()


@pytest.fixture
async def rima(way_in: WayIn) -> dict[str, str]:
    """What a technician of Tripoli shows."""
    token = await builders.token(way_in.town.connection, "rima", role=Role.TECHNICIAN, municipality="tripoli")
    return {"Authorization": f"Bearer {token}"}
