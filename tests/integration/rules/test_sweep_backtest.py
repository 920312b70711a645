"""Sweep rules tried on stored history: each family finds what it should and nothing else."""

from __future__ import annotations

import asyncpg
import pytest

from alerts.transition import Severity
from rules.maintenance import spans
from rules.trial.backtest import live_episodes
from store.audit import PLATFORM
from tests.integration.rules.history import Sent, live_through, minutes, sent, store, tried
from tests.integration.rules.sweeps.sweeping import DARK, LIT, NOON, circuit, instant, with_rule
from tests.integration.rules.sweeps.test_families import ODD, SOON, STALE
from tests.integration.rules.town import MINUTE, add_device

QUIET = """
- id: quiet
  kind: bin
  silent: {missing: 3 intervals}
"""
DOWN = """
- id: down
  kind: circuit
  children_down: {of: light, dark: power_w < 5 and commanded_dim_pct >= 1, lit: power_w > 5}
"""
TENS = range(0, 171, 10)


async def bins(connection: asyncpg.Connection, count: int) -> list[int]:
    """Register bins that report every ten minutes."""
    return [await add_device(connection, f"B-{i}", interval_s=600) for i in range(count)]


async def work_on(connection: asyncpg.Connection, device: int, start: float, until: float) -> None:
    await spans.plan(
        connection,
        from_at=instant(start),
        until_at=instant(until),
        reason="",
        by=PLATFORM,
        now=NOON,
        device_id=device,
    )


async def test_silence_is_found_as_the_live_sweep_found_it(connection: asyncpg.Connection) -> None:
    """One bin is heard all the time; others fall silent, come back, send a backlog, or are worked on."""
    await with_rule(connection, QUIET)
    well, away, backlog, lasting, worked_on = await bins(connection, 5)
    late = [Sent(device=backlog, minute=m, received=100.5) for m in (70, 80, 90)]
    readings = [
        *sent(well, *TENS),
        *sent(away, 0, 10, 60, 70, 125, 130, 140, 150, 160, 170),
        *sent(backlog, *range(0, 61, 10), *range(110, 171, 10)),
        *late,
        *sent(lasting, *range(0, 101, 10)),
        *sent(worked_on, *range(0, 51, 10), 155, 165),
    ]
    await work_on(connection, worked_on, 60, 120)

    await live_through(connection, "bin", readings, 170)
    (found,) = await tried(connection, QUIET, 171)

    assert minutes(found) == [
        ("B-1", 40, 60),
        ("B-4", 80, 155),
        ("B-2", 90, 90),
        ("B-1", 100, 125),
        ("B-3", 130, None),
    ]
    live = await live_episodes(connection, "quiet", start=NOON - MINUTE, end=NOON + 171 * MINUTE)
    lived = [
        ((e.opened_at - NOON) / MINUTE, None if e.ended_at is None else (e.ended_at - NOON) / MINUTE)
        for e in live
    ]
    assert lived == [(opened, ended) for _, opened, ended in minutes(found)]
    assert (found.same, found.only_test, found.only_live) == (5, 0, 0)
    assert found.readings == len(readings)
    assert found.devices_seen == 5


async def test_silence_of_any_kind_is_found_in_every_kind(connection: asyncpg.Connection) -> None:
    (silent_bin,) = await bins(connection, 1)
    lamp = await add_device(connection, "L-1", "light", interval_s=600)
    await store(connection, "bin", sent(silent_bin, 0, 10))
    await store(connection, "light", sent(lamp, 0, 20))

    (found,) = await tried(connection, QUIET.replace("kind: bin", "kind: any"), 100)
    (of_one,) = await tried(connection, QUIET.replace("kind: bin", "kind: any"), 100, device="L-1")

    assert minutes(found) == [("B-0", 40, None), ("L-1", 50, None)]
    assert minutes(of_one) == [("L-1", 50, None)]


async def test_circuit_is_found_down_by_darkness_and_by_silence_and_lamps_that_failed_alone_are_not(
    connection: asyncpg.Connection,
) -> None:
    dark = await circuit(connection, "CIR-1", 5)
    mute = await circuit(connection, "CIR-2", 5)
    failed = await circuit(connection, "CIR-3", 5)
    await connection.execute("UPDATE device SET attributes = '{\"interval_s\": 600}'")
    await with_rule(connection, FAILED)
    await connection.executemany(
        "INSERT INTO alert (rule, rule_version, device_id, state, severity, opened_at, detected_at, summary,"
        " evidence) VALUES ('lamp-failed', 1, $1, 'firing', 'major', $2, $2, '{}', '{}')",
        [(lamp, instant(-50)) for lamp in failed[:3]],
    )
    await store(
        connection,
        "light",
        [
            *(r for lamp in dark for r in sent(lamp, 0, 10, **LIT)),
            *(r for lamp in dark[:3] for r in sent(lamp, 20, 30, **DARK)),
            *(r for lamp in dark[3:] for r in sent(lamp, 20, 30, **LIT)),
            *(r for lamp in dark for r in sent(lamp, *range(40, 61, 10), **LIT)),
            *(r for lamp in mute for r in sent(lamp, 0, 10, 20, 50, 60, **LIT)),
            *(r for lamp in failed[:3] for r in sent(lamp, *range(0, 61, 10), **DARK)),
            *(r for lamp in failed[3:] for r in sent(lamp, *range(0, 61, 10), **LIT)),
        ],
    )

    (found,) = await tried(connection, DOWN, 61)

    assert [alert.severity for alert in found.alerts] == [Severity.CRITICAL] * 2
    told = [(name, round(a), round(b or 0)) for name, a, b in minutes(found)]
    assert told == [("CIR-1", 20, 40), ("CIR-2", 35, 50)]
    # It looks every ten seconds, as the leader does.
    assert all(
        0 <= (opened - at) * 60 <= 12 for (_, opened, _), at in zip(minutes(found), (20, 35), strict=True)
    )
    assert any("connections" in note for note in found.notes)


FAILED = """
- id: lamp-failed
  kind: light
  levels: {major: power_w < 5}
  suppress_by: [down]
"""


async def test_value_far_from_its_neighbours_is_found_and_a_short_one_is_not(
    connection: asyncpg.Connection,
) -> None:
    made = await bins(connection, 8)
    for i, device in enumerate(made):
        lat = 32.9 + 0.0002 * i + (1.0 if i == 7 else 0.0)
        await connection.execute("UPDATE device SET lat = $2, lon = 13.2 WHERE id = $1", device, lat)
    hot = {0: range(20, 91, 10), 1: (40, 50), 7: range(0, 171, 10)}
    await store(
        connection,
        "bin",
        [
            Sent(device=d, minute=m, values={"temperature_c": 80.0 if m in hot.get(i, ()) else 20.0 + i / 10})
            for i, d in enumerate(made)
            for m in TENS
        ],
    )

    (found,) = await tried(connection, ODD, 171)

    assert minutes(found) == [("B-0", 50, 100)]


async def test_measurement_that_no_longer_comes_is_found_and_one_that_never_came_is_not(
    connection: asyncpg.Connection,
) -> None:
    gone, now_and_then, never = await bins(connection, 3)
    await store(
        connection,
        "bin",
        [
            *sent(gone, -10, fill_pct=40.0, temperature_c=20.0),
            *sent(gone, *range(0, 91, 10), temperature_c=20.0),
            *sent(gone, 100, 110, fill_pct=41.0, temperature_c=20.0),
            *sent(now_and_then, *range(0, 171, 50), fill_pct=40.0),
            *sent(now_and_then, *(m for m in TENS if m % 50), temperature_c=20.0),
            *sent(never, *TENS, temperature_c=20.0),
        ],
    )

    (found,) = await tried(connection, STALE, 171)

    assert minutes(found) == [("B-0", 50, 100)]


async def test_bin_that_will_be_full_soon_is_found_until_it_is_emptied(
    connection: asyncpg.Connection,
) -> None:
    filling, idle = await bins(connection, 2)
    first = -42 * 60
    readings = [
        Sent(device=filling, minute=m, values={"fill_pct": 20 + 1.2 * (m - first) / 60})
        for m in range(first, 0, 30)
    ]
    readings += [
        Sent(device=filling, minute=m, values={"fill_pct": 2 + 1.2 * m / 60}) for m in range(0, 121, 30)
    ]
    readings += [Sent(device=idle, minute=m, values={"fill_pct": 30.0}) for m in range(first, 121, 30)]
    await store(connection, "bin", readings)

    (found,) = await tried(connection, SOON, 150, start=NOON + (first - 60) * MINUTE)

    ((device, opened, ended),) = minutes(found)
    assert device == "B-0"
    assert -12 * 60 < opened < 0
    assert ended == 30, "one low value is no emptying, two are"


async def test_rule_is_tried_with_its_gate_and_writes_nothing(connection: asyncpg.Connection) -> None:
    (device,) = await bins(connection, 1)
    await connection.execute("UPDATE municipality SET lat = NULL, lon = NULL")
    await store(connection, "bin", sent(device, 0, 10))
    before = await tables(connection)

    (found,) = await tried(connection, QUIET + "  when: {sun: night}\n", 100)

    assert found.alerts == ()
    assert await tables(connection) == before


async def tables(connection: asyncpg.Connection) -> list[int]:
    """Return how many rows there are of what live sweeps write."""
    names = ("alert", "transition", "sweep_pending", "forecast", "latest")
    return [await connection.fetchval(f"SELECT count(*) FROM {name}") for name in names]


async def test_test_of_one_device_compares_it_with_all_others(connection: asyncpg.Connection) -> None:
    made = await bins(connection, 7)
    for i, device in enumerate(made):
        await connection.execute(
            "UPDATE device SET lat = $2, lon = 13.2 WHERE id = $1", device, 32.9 + 0.0002 * i
        )
    hot = {0, 1}
    await store(
        connection,
        "bin",
        [
            Sent(device=d, minute=m, values={"temperature_c": 80.0 if i in hot else 20.0 + i / 10})
            for i, d in enumerate(made)
            for m in range(0, 61, 10)
        ],
    )

    (both,) = await tried(connection, ODD, 61)
    (one,) = await tried(connection, ODD, 61, device="B-1")

    assert [device for device, _, _ in minutes(both)] == ["B-0", "B-1"]
    assert minutes(one) == [("B-1", 30, None)]


async def test_stream_rules_of_any_kind_are_tried_too(connection: asyncpg.Connection) -> None:
    (device,) = await bins(connection, 1)
    await store(
        connection, "bin", [Sent(device=device, minute=m, received=m + 30, values={}) for m in (0, 10)]
    )

    (found,) = await tried(connection, "- id: lags\n  kind: any\n  levels: {warning: lag() > 900}\n", 100)

    assert minutes(found) == [("B-0", 0, None)]
    assert found.notes == ()


@pytest.mark.parametrize("family", [QUIET, DOWN, STALE, ODD])
async def test_what_cannot_be_known_is_said(connection: asyncpg.Connection, family: str) -> None:
    await bins(connection, 1)

    (found,) = await tried(connection, family, 10)

    assert any("ingest itself was away" in note for note in found.notes)
