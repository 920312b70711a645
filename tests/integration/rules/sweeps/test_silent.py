"""Silence on a real database: told once, ended by a reading, never blamed on devices when we were away."""

from __future__ import annotations

import asyncio

import asyncpg

from alerts.queue import list_alerts
from devices.instants import to_datetime
from devices.kinds import load
from rules.catalogue import catalogue
from rules.loading.files import default_packs
from rules.sweeps.leader import run, sweep_once
from tests.databases import now as wall_clock
from tests.integration.rules.town import MINUTE, add_device

KINDS = load()
NOON = wall_clock() - 3 * 3600 * 1_000_000
SECOND = 1_000_000


async def alive(connection: asyncpg.Connection, minute: float, caught_up_minute: float | None) -> None:
    """Let ingest have been alive at a minute, caught up since another."""
    caught_up = None if caught_up_minute is None else to_datetime(NOON + round(caught_up_minute * MINUTE))
    await connection.execute(
        "UPDATE shard SET alive_at = $1, caught_up_at = $2",
        to_datetime(NOON + round(minute * MINUTE)),
        caught_up,
    )


async def latest(connection: asyncpg.Connection, device: int, minute: int, interval_s: float = 600) -> None:
    """Let the newest reading of a device be known."""
    await connection.execute(
        "INSERT INTO latest VALUES ($1, $2, $2, $3, 0, '{}') ON CONFLICT (device_id) DO UPDATE SET"
        " observed_at = excluded.observed_at, received_at = excluded.received_at",
        device,
        to_datetime(NOON + minute * MINUTE),
        interval_s,
    )


async def sweep(connection: asyncpg.Connection, minute: float) -> int:
    """Sweep while ingest is alive and has long been caught up."""
    await alive(connection, minute, -1000)
    return await sweep_once(connection, KINDS, NOON + round(minute * MINUTE))


async def town(connection: asyncpg.Connection) -> int:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    device = await add_device(connection, "B-1")
    await latest(connection, device, 0)
    return device


async def test_device_is_silent_after_three_missed_intervals_and_told_once(
    connection: asyncpg.Connection,
) -> None:
    await town(connection)

    assert await sweep(connection, 30) == 0
    assert await sweep(connection, 30.5) == 1
    assert await sweep(connection, 31) == 0

    (alert,) = await list_alerts(connection)
    assert (alert.rule, alert.device, alert.unknown) == ("silent", "B-1", False)
    assert alert.opened_at == to_datetime(NOON + 30 * MINUTE)
    assert alert.summary["en"] == "B-1 has been silent for 30 min"


async def test_drone_that_was_heard_last_in_flight_is_lost_after_ten_seconds(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    for name, phase in (("D-1", "transit"), ("D-2", "docked")):
        device = await add_device(connection, name, "drone")
        await latest(connection, device, 0, 1)
        await connection.execute(
            "UPDATE latest SET measurements = jsonb_build_object('flight_phase', $2::text)"
            " WHERE device_id = $1",
            device,
            phase,
        )

    assert await sweep(connection, 0.16) == 0
    assert await sweep(connection, 0.2) == 1
    assert await sweep(connection, 2.1) == 2

    alerts = {(alert.rule, alert.device): alert for alert in await list_alerts(connection)}
    assert set(alerts) == {("drone-lost-link", "D-1"), ("silent", "D-1"), ("silent", "D-2")}
    lost = alerts["drone-lost-link", "D-1"]
    assert lost.summary["en"] == "Drone D-1 was heard last in flight, 12 s ago"
    assert alerts["silent", "D-1"].inhibited_by == lost.id
    assert alerts["silent", "D-2"].inhibited_by is None


async def test_what_a_drone_said_on_the_ground_tells_whether_it_flew_when_its_words_do_not(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    for name, altitude in (("D-1", 240.4), ("D-2", 262.0)):
        device = await add_device(connection, name, "drone")
        await latest(connection, device, 0, 1)
        await connection.execute(
            "UPDATE latest SET measurements ="
            " jsonb_build_object('flight_phase', 'fault', 'alt_m', $2::float8) WHERE device_id = $1",
            device,
            altitude,
        )
        await connection.execute(
            "INSERT INTO drone_reading (device_id, observed_at, received_at, quality, flight_phase, alt_m)"
            " VALUES ($1, $2, $2, 0, 'docked', 240)",
            device,
            to_datetime(NOON - 5 * MINUTE),
        )

    assert await sweep(connection, 1) == 1

    (alert,) = await list_alerts(connection)
    assert (alert.rule, alert.device) == ("drone-lost-link", "D-2")


async def test_silence_ends_by_the_reading_when_readings_resume(connection: asyncpg.Connection) -> None:
    device = await town(connection)
    await sweep(connection, 40)
    await latest(connection, device, 50)

    assert await sweep(connection, 51) == 1

    (alert,) = await list_alerts(connection)
    assert alert.resolved_at == to_datetime(NOON + 50 * MINUTE)


async def test_sweep_believes_a_stored_reading_when_latest_is_behind(connection: asyncpg.Connection) -> None:
    device = await town(connection)
    await connection.execute(
        "INSERT INTO bin_reading (device_id, observed_at, received_at, quality) VALUES ($1, $2, $2, 0)",
        device,
        to_datetime(NOON + 35 * MINUTE),
    )

    assert await sweep(connection, 40) == 0


async def test_outage_of_ours_raises_no_silence(connection: asyncpg.Connection) -> None:
    await town(connection)
    minute = 100

    await alive(connection, minute - 1, -1000)
    assert await sweep_once(connection, KINDS, NOON + minute * MINUTE) == 0, "ingest gave no sign of life"
    await alive(connection, minute, None)
    assert await sweep_once(connection, KINDS, NOON + minute * MINUTE) == 0, "ingest is catching up"
    await alive(connection, minute, minute - 9)
    assert await sweep_once(connection, KINDS, NOON + minute * MINUTE) == 0, "devices had no time to report"
    await alive(connection, minute, minute - 11)
    assert await sweep_once(connection, KINDS, NOON + minute * MINUTE) == 1


async def test_retired_device_is_never_silent(connection: asyncpg.Connection) -> None:
    device = await town(connection)
    await connection.execute(
        "UPDATE device SET retired_at = $2, retired_reason = 'sold' WHERE id = $1", device, to_datetime(NOON)
    )

    assert await sweep(connection, 100) == 0


async def test_second_process_takes_over_when_the_leader_ends(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await town(connection)
    swept = {"first": 0, "second": 0}
    turn = asyncio.Condition()

    async def process(name: str) -> None:
        def clock() -> int:
            swept[name] += 1
            return NOON

        async def pause(_: float) -> None:
            async with turn:
                turn.notify_all()
            await asyncio.sleep(0.01)

        await run(pool, KINDS, clock, 1.0, sleep=pause)

    first = asyncio.create_task(process("first"))
    async with asyncio.timeout(20), turn:
        await turn.wait_for(lambda: swept["first"] > 2)
    second = asyncio.create_task(process("second"))
    async with asyncio.timeout(20), turn:
        seen = swept["first"]
        await turn.wait_for(lambda: swept["first"] > seen + 3)
        assert swept["second"] == 0
    first.cancel()
    async with asyncio.timeout(20), turn:
        await turn.wait_for(lambda: swept["second"] > 0)
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
