"""The newest reading of each device."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from devices.instants import to_datetime
from devices.registry.registry import Device
from readings.latest import LatestColumns, flush, get_latest, list_latest
from store.pool import connect
from tests.integration.devices.town import SECOND, START, add_bin, add_town


def make_rows(device: Device, *, observed: int, received: int, fill: float) -> LatestColumns:
    return LatestColumns(
        device_id=[device.id],
        observed_at=[START + observed * SECOND + 1],
        received_at=[START + received * SECOND],
        interval_s=[600.0],
        quality=[1 << 40],
        measurements=[{"fill_pct": fill, "lid_open": True}],
    )


@pytest.fixture
async def device(connection: asyncpg.Connection) -> Device:
    """A bin in tripoli."""
    await add_town(connection)
    return await add_bin(connection)


async def test_latest_comes_back_to_the_microsecond(connection: asyncpg.Connection, device: Device) -> None:
    await flush(connection, make_rows(device, observed=0, received=1, fill=40.5))

    latest = await get_latest(connection, device.name)

    assert latest is not None
    assert latest.observed_at == to_datetime(START + 1)
    assert latest.quality == 1 << 40
    assert latest.measurements == {"fill_pct": 40.5, "lid_open": True}
    assert await list_latest(connection, municipality="tripoli", kind="bin") == [latest]


async def test_backlog_proves_life_but_does_not_replace_the_newest(
    connection: asyncpg.Connection, device: Device
) -> None:
    await flush(connection, make_rows(device, observed=100, received=101, fill=80))
    await flush(connection, make_rows(device, observed=50, received=200, fill=40))

    latest = await get_latest(connection, device.name)

    assert latest is not None
    assert latest.measurements["fill_pct"] == 80
    assert latest.observed_at == to_datetime(START + 100 * SECOND + 1)
    assert latest.received_at == to_datetime(START + 200 * SECOND)


async def test_device_that_never_spoke_has_no_latest(connection: asyncpg.Connection, device: Device) -> None:
    assert await get_latest(connection, device.name) is None


async def test_listeners_are_told_once_the_flush_commits(
    connection: asyncpg.Connection, device: Device, dsn: str
) -> None:
    told = asyncio.Event()
    listener = await connect(dsn)
    await listener.add_listener("nabd_latest", lambda *_: told.set())

    await flush(connection, make_rows(device, observed=0, received=1, fill=40))

    await asyncio.wait_for(told.wait(), 10)
    await listener.close()
