"""The registry as a snapshot: every device in it is as it is when it is asked for alone."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import asyncpg
import numpy as np
import pytest

from devices.registry import loading, registry
from devices.registry.columns import columns_of, of_devices
from devices.registry.editing import retire_device
from devices.registry.hardware import replace_hardware
from devices.registry.registration import NewDevice, add_devices
from store.audit import PLATFORM
from store.connection import Connection
from tests.integration.devices.town import BIN, KINDS, add_town, now

NAMES = [f"TRP-BIN-{number}" for number in range(1, 7)]


@pytest.fixture
async def tripoli(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database in which devices of every sort are registered, of which one stands for another."""
    await add_town(connection)
    new = [
        NewDevice(name="TRP-GW-1", kind="gateway", municipality="tripoli"),
        NewDevice(name="TRP-GW-2", kind="gateway", municipality="tripoli"),
        NewDevice(name="TRP-CAB-1", kind="cabinet", municipality="tripoli"),
        NewDevice(name="TRP-LGT-1", kind="light", municipality="tripoli", parent="TRP-CAB-1"),
        replace(BIN, name=NAMES[0], title='a\ttab, a\nline, a \\N, a "quote" and نبض'),
        replace(BIN, name=NAMES[1], title=r"\N", serial="S-1", attributes={"volume_l": 660}),
        replace(BIN, name=NAMES[2], lat=34.43, lon=35.84, relays=("TRP-GW-2", "TRP-GW-1")),
        replace(BIN, name=NAMES[3], planned=True),
        replace(BIN, name=NAMES[4]),
        replace(BIN, name=NAMES[5], attributes={"volume_l": 660}),
    ]
    await add_devices(connection, KINDS, new, now, by=PLATFORM)
    await retire_device(connection, NAMES[4], "gone: \\ and\ttab", now, by=PLATFORM)
    await replace_hardware(connection, NAMES[5], "S-2", wire_name="6-AGAIN", now=now, by=PLATFORM)
    return connection


async def test_every_device_is_in_a_snapshot_as_it_is_alone(tripoli: asyncpg.Connection) -> None:
    snapshot = await registry.load(tripoli)

    assert len(snapshot.devices) == len(snapshot.by_name) == 10
    assert "TRP-BIN-7" not in snapshot.by_name
    assert 0 not in snapshot.devices
    for name in snapshot.by_name:
        alone = await registry.get_device(tripoli, name)
        assert snapshot.by_name[name] == snapshot.devices[alone.id] == alone


async def test_columns_that_were_loaded_say_what_the_devices_say(tripoli: asyncpg.Connection) -> None:
    snapshot = await registry.load(tripoli)
    loaded, made = columns_of(snapshot), of_devices(snapshot.devices.values())

    for name in ("ids", "municipality_id", "lat", "lon", "installed_at", "retired", "replaced"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(made, name), err_msg=name)
    assert (loaded.rows, loaded.renamed, loaded.relays) == (made.rows, made.renamed, made.relays)
    for kind in ("bin", "light", "gateway", "drone"):
        rows = loaded.of_kind(kind)
        np.testing.assert_array_equal(rows, made.of_kind(kind))
        assert loaded.attributes(["volume_l"], rows) == made.attributes(["volume_l"], rows)
    # The two that have the same attributes share them.
    assert len(loaded.documents) == 2
    assert loaded.find(np.array([0, loaded.ids[3], 10_000], dtype=np.int32)).tolist() == [-1, 3, -1]


async def test_all_devices_in_a_row_are_those_found_by_their_ids(tripoli: asyncpg.Connection) -> None:
    devices = (await registry.load(tripoli)).devices

    assert dict(devices.items()) == {one: devices[one] for one in devices}
    assert list(devices.values()) == [devices[one] for one in devices]
    assert -1 not in devices
    assert 2**40 not in devices


async def test_device_is_found_without_a_copy_of_all_ids(tripoli: asyncpg.Connection) -> None:
    columns = columns_of(await registry.load(tripoli))
    many = replace(columns, ids=np.arange(1_000_000, dtype=np.int32))
    none = np.empty(0, dtype=np.int64)
    numbers = dict.fromkeys(("parent_id", "version", "retired_at", "by_hand"), none)
    devices = loading.LoadedDevices(many, numbers, b"", none, {})

    tracemalloc.start()
    try:
        assert 999_999 in devices
        assert 1_000_000 not in devices
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 100_000


async def test_snapshot_holds_together_while_towns_and_devices_are_registered(
    tripoli: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, towns = loading._lines, iter(("mina", "zgharta", "bcharre", "batroun", "amioun"))

    async def register() -> None:
        if town := next(towns, None):
            await add_town(tripoli, town)
            device = replace(BIN, name=f"{town}-BIN", municipality=town)
            await add_devices(tripoli, KINDS, [device], now, by=PLATFORM)

    async def meanwhile(connection: Connection) -> bytes:
        await register()
        lines = await asked(connection)
        await register()
        return lines

    monkeypatch.setattr(loading, "_lines", meanwhile)
    async with tripoli.transaction():
        snapshot = await registry.load(tripoli)

    assert snapshot.by_name["mina-BIN"].municipality == "mina"
    assert set(snapshot.by_name) == {device.name for device in snapshot.devices.values()}
