"""Rejections are kept, and the quarantine is adopted and replayed."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from devices.registry.errors import AlreadyExists, Invalid, NotFound
from devices.registry.registration import NewDevice, add_device
from devices.registry.registry import get_device
from readings import quarantine, rejections
from readings.rejections import NewRejection
from store.audit import PLATFORM
from tests.integration.devices.town import KINDS, SECOND, START, add_bin, add_town, generation, now

STRANGER = NewRejection(
    received_at=START,
    topic="nabd/v1/tripoli/bin/NEW-1/telemetry",
    device="NEW-1",
    reason="unknown_device",
    pointer="",
    detail="not registered",
    payload=b'{"fill_pct":12}',
)
MALFORMED = replace(STRANGER, device="TRP-BIN-0001", reason="malformed", payload=b"\x00\xff")


async def record(connection: asyncpg.Connection, *rows: NewRejection) -> None:
    await rejections.record(connection, "main", 1, rows)


@pytest.fixture
async def tripoli(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database in which tripoli is registered."""
    await add_town(connection)
    return connection


async def test_rejection_keeps_the_bytes_as_they_came(connection: asyncpg.Connection) -> None:
    await record(connection, MALFORMED)

    (kept,) = await rejections.list_rejections(connection)

    assert kept.payload == b"\x00\xff"
    assert (kept.batch, kept.device, kept.reason) == (1, "TRP-BIN-0001", "malformed")


async def test_text_that_the_database_cannot_keep_is_made_storable(connection: asyncpg.Connection) -> None:
    await record(
        connection, replace(MALFORMED, device="d" * 65_000, detail="a\x00b\ud800", topic="t" * 9_000)
    )

    (kept,) = await rejections.list_rejections(connection)

    assert len(kept.device) == rejections.DEVICE_LIMIT
    assert kept.detail == "a\ufffdb?"


async def test_list_pages_newest_first_filters_and_follows(connection: asyncpg.Connection) -> None:
    await record(connection, STRANGER, MALFORMED, STRANGER)

    first = await rejections.list_rejections(connection, limit=2)
    rest = await rejections.list_rejections(connection, before=first[-1].id)
    following = await rejections.list_rejections(connection, after=rest[0].id)
    malformed = await rejections.list_rejections(connection, reason="malformed", municipality="tripoli")

    assert [r.id for r in first + rest] == sorted((r.id for r in first + rest), reverse=True)
    assert [r.id for r in following] == sorted(r.id for r in first)
    assert [r.device for r in malformed] == ["TRP-BIN-0001"]
    assert await rejections.list_rejections(connection, municipality="rabat") == []


async def test_quarantine_groups_unknown_devices_and_leaves_the_rest_out(
    connection: asyncpg.Connection,
) -> None:
    await record(connection, STRANGER, replace(STRANGER, received_at=START + 9 * SECOND), MALFORMED)

    (unknown,) = await quarantine.unknown_devices(connection)

    assert (unknown.device, unknown.kind, unknown.municipality) == ("NEW-1", "bin", "tripoli")
    assert unknown.count == 2
    assert (unknown.last_at - unknown.first_at).total_seconds() == 9


async def test_adopting_registers_the_device_and_asks_for_the_replay(tripoli: asyncpg.Connection) -> None:
    await record(tripoli, STRANGER, STRANGER)
    before = await generation(tripoli)

    device, waiting = await quarantine.adopt(tripoli, KINDS, "NEW-1", now, title="Mosque", by=PLATFORM)

    assert device == await get_device(tripoli, "NEW-1")
    assert (device.kind, device.municipality, device.title) == ("bin", "tripoli", "Mosque")
    assert waiting == 2
    assert await generation(tripoli) == before + 1
    done = await tripoli.fetch("SELECT action, after FROM audit WHERE subject = 'NEW-1' ORDER BY id")
    assert [row["action"] for row in done] == ["device.add", "quarantine.replay"]
    assert done[1]["after"] == {"rejections": 2}


async def test_relayed_device_is_adopted_below_its_gateway(tripoli: asyncpg.Connection) -> None:
    await add_device(
        tripoli, KINDS, NewDevice(name="GW-1", kind="gateway", municipality="tripoli"), now, by=PLATFORM
    )
    await record(
        tripoli,
        replace(
            STRANGER,
            topic="nabd/v1/tripoli/gateway/GW-1/telemetry",
            payload=b'{"kind":"light","device":"NEW-1"}',
        ),
    )

    device, _ = await quarantine.adopt(tripoli, KINDS, "NEW-1", now, by=PLATFORM)

    assert (device.kind, device.parent, device.relays) == ("light", None, ("GW-1",))


async def test_adopting_what_is_not_in_quarantine_names_where_to_look(tripoli: asyncpg.Connection) -> None:
    with pytest.raises(NotFound, match="nabd device quarantine"):
        await quarantine.adopt(tripoli, KINDS, "NOBODY", now, by=PLATFORM)


async def test_failed_adoption_leaves_the_quarantine_as_it_was(tripoli: asyncpg.Connection) -> None:
    await add_bin(tripoli)
    await record(tripoli, replace(STRANGER, topic="nabd/v1/mars/bin/NEW-1/telemetry"))
    await record(tripoli, replace(STRANGER, device="TRP-BIN-0001", reason="misplaced"))

    with pytest.raises(Invalid, match="nabd municipality add mars"):
        await quarantine.adopt(tripoli, KINDS, "NEW-1", now, by=PLATFORM)
    with pytest.raises(AlreadyExists, match="nabd device edit"):
        await quarantine.adopt(tripoli, KINDS, "TRP-BIN-0001", now, by=PLATFORM)

    assert await quarantine.take_replay(tripoli, "main", 10) == []


async def test_replay_is_taken_once_oldest_first(connection: asyncpg.Connection) -> None:
    await record(connection, STRANGER, STRANGER, MALFORMED)
    assert await quarantine.request_replay(connection, "NEW-1", now, by=PLATFORM) == 2
    assert await quarantine.request_replay(connection, "NEW-1", now, by=PLATFORM) == 0
    assert await connection.fetchval("SELECT count(*) FROM audit WHERE action = 'quarantine.replay'") == 1

    async with connection.transaction():
        (first,) = await quarantine.take_replay(connection, "main", 1)
        await quarantine.mark_replayed(connection, [first.id], now)
    (second,) = await quarantine.take_replay(connection, "main", 10)

    assert first.id < second.id
    assert [u.count for u in await quarantine.unknown_devices(connection)] == [1]


async def test_replay_that_rolls_back_stays_due(connection: asyncpg.Connection) -> None:
    await record(connection, STRANGER)
    await quarantine.request_replay(connection, "NEW-1", now, by=PLATFORM)

    transaction = connection.transaction()
    await transaction.start()
    (taken,) = await quarantine.take_replay(connection, "main", 10)
    await quarantine.mark_replayed(connection, [taken.id], now)
    await transaction.rollback()

    assert len(await quarantine.take_replay(connection, "main", 10)) == 1
