"""A small town at the deployed broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from nabd import clock
from nabd.identity.follower import CredentialWatch
from tests.integration.deploy.deployed import DeployedBroker
from tests.integration.deploy.town import Town
from tests.integration.devices.town import add_town
from tests.parts import need_mosquitto


@pytest.fixture
async def town(pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path) -> AsyncIterator[Town]:
    need_mosquitto()
    await add_town(connection)
    broker = DeployedBroker(directory=tmp_path)
    broker.make_authority()
    follower = CredentialWatch(
        pool=pool,
        directory=broker.incoming,
        tls_dir=broker.tls,
        broker=broker.address("~api"),
        now=clock.wall,
    )
    await follower.follow()
    with broker:
        yield Town(broker=broker, connection=connection, follower=follower)
