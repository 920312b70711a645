"""What tests of readings by hand enter, and what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import asyncpg

from devices.instants import rfc3339, to_datetime
from tests.integration.incoming.conftest import WayIn
from tests.waiting import now

B1 = "/api/v1/devices/b1/hand-readings"
L1 = "/api/v1/devices/l1/hand-readings"


def ago(**how: float) -> datetime:
    """Return an instant that lies back, to the second."""
    return to_datetime(now()).replace(microsecond=0) - timedelta(**how)


async def entered(way_in: WayIn) -> list[asyncpg.Record]:
    """Return what is kept of entries, the first one first."""
    rows: list[asyncpg.Record] = await way_in.town.connection.fetch("SELECT * FROM hand_reading ORDER BY id")
    return rows


async def post(way_in: WayIn, who: dict[str, str], path: str = B1, **body: Any) -> Any:
    """Enter something, of now where the body does not say when."""
    return await way_in.client.post(path, json={"observed_at": rfc3339(ago())} | body, headers=who)
