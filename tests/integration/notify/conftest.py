"""A leader with one person who is told by ntfy at once."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.notify.scene import NotedChannel, Scene, TableRouting, person, steps


@pytest.fixture
async def scene(connection: asyncpg.Connection, pool: asyncpg.Pool) -> Scene:
    """Return a notifier that leads; amal is told first, the chief five minutes later, both by ntfy."""
    amal, chief = await person(connection, "amal"), await person(connection, "chief")
    routing = TableRouting(
        steps=steps(f"person:{amal}", f"person:{chief}"),
        ways={amal: [("ntfy", "amal", 0.0)], chief: [("ntfy", "chief", 0.0)]},
    )
    scene = Scene(
        connection=connection,
        pool=pool,
        routing=routing,
        channels={"ntfy": NotedChannel(), "sms": NotedChannel(name="sms")},
    )
    await scene.lead()
    return scene
