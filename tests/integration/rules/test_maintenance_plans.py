"""Maintenance that comes again: its windows are made ahead, once each, and stay as people leave them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import asyncpg
import pytest

from devices.instants import to_microseconds
from devices.registry.errors import Conflict, Invalid
from devices.registry.municipalities import edit_municipality
from devices.registry.registry import load
from rules.maintenance import plans, spans, upkeep, windows
from rules.maintenance.recurrence import Recurrence
from store.audit import PLATFORM
from tests.integration.api import builders

START = datetime(2026, 3, 20, 12, tzinfo=UTC)
"""A Friday; Lebanon puts its clock forward on the night to 29 March."""
DAY_US = 86_400_000_000


def at(days: float = 0) -> int:
    return to_microseconds(START) + round(days * DAY_US)


async def _plan(
    connection: asyncpg.Connection, days: Sequence[int] = (1, 2, 3, 4, 5, 6, 7), **more: date
) -> int:
    await builders.add(connection, "bin-1")
    nightly = Recurrence(every="week", days=days, from_time=time(2), until_time=time(4), **more)
    made = await plans.add_plan(
        connection, nightly, municipality="tripoli", reason="washing", by=PLATFORM, now=at()
    )
    return made.id


async def _begin(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT from_at FROM maintenance_window ORDER BY from_at")
    return [f"{row['from_at']:%m-%d %H}" for row in rows]


async def _generation(connection: asyncpg.Connection) -> int:
    await connection.execute("INSERT INTO shard (name, generation) VALUES ('main', 0) ON CONFLICT DO NOTHING")
    found: int = await connection.fetchval("SELECT generation FROM shard WHERE name = 'main'")
    return found


async def test_windows_are_made_ahead_by_the_local_clock_and_each_once(
    connection: asyncpg.Connection,
) -> None:
    await _plan(connection, days=(6, 7))

    assert await _begin(connection) == ["03-21 00", "03-22 00", "03-28 00", "03-28 23", "04-03 23"]
    known = await _generation(connection)
    assert await upkeep.make_windows(connection, at(6)) == 0
    assert await _generation(connection) == known
    assert await upkeep.make_windows(connection, at(8)) == 3
    assert await upkeep.make_windows(connection, at(8)) == 0
    assert (await _begin(connection))[4:] == ["04-03 23", "04-04 23", "04-10 23", "04-11 23"]
    assert await _generation(connection) == known + 1


async def test_window_that_somebody_takes_back_does_not_return_when_the_clock_is_changed(
    connection: asyncpg.Connection,
) -> None:
    plan = await _plan(connection, days=(6, 7))
    [first, second, *_] = await windows.list_windows(connection, now=at())
    assert (first.plan, first.state, first.author) == (plan, "planned", "nabd")

    await windows.end_window(connection, second.id, by=PLATFORM, now=at())
    await edit_municipality(connection, "tripoli", {"time_zone": "Africa/Tripoli"}, at, by=PLATFORM)
    await upkeep.make_windows(connection, at(0.5))

    assert await _begin(connection) == ["03-21 00", "03-28 00", "03-29 00", "04-04 00", "04-05 00"]
    found = await plans.get_plan(connection, plan, now=at(1))
    assert (found.time_zone, found.next_from_at) == ("Africa/Tripoli", datetime(2026, 3, 28, tzinfo=UTC))


async def test_end_of_a_plan_ends_the_window_that_runs_and_takes_back_those_to_come(
    connection: asyncpg.Connection,
) -> None:
    plan = await _plan(connection)
    in_the_night = to_microseconds(datetime(2026, 3, 22, 1, tzinfo=UTC))

    ended = await plans.end_plan(connection, plan, by=PLATFORM, now=in_the_night)

    assert (ended.state, ended.next_from_at) == ("over", None)
    shown = await windows.list_windows(connection, now=in_the_night, over=True)
    assert [w.until_at.hour for w in shown] == [2, 1]
    assert await upkeep.make_windows(connection, at(30)) == 0
    with pytest.raises(Conflict):
        await plans.end_plan(connection, plan, by=PLATFORM, now=in_the_night)
    assert await plans.list_plans(connection, now=in_the_night) == []


async def test_rules_rest_in_these_windows_and_forget_those_of_long_ago(
    connection: asyncpg.Connection,
) -> None:
    await _plan(connection, days=(5,))
    for week in range(1, 12):
        await upkeep.make_windows(connection, at(7 * week))
    registry = await load(connection)
    device = registry.by_name["bin-1"].id

    recent = (await spans.spans(connection, registry))[device]
    ever = (await spans.spans(connection, registry, ever=True))[device]

    assert len(ever) == 12
    assert len(recent) < len(ever)
    assert recent == ever[-len(recent) :]
    assert recent[0][0] < at(7 * 11 - 35)
    night = to_microseconds(datetime(2026, 4, 24, 0, tzinfo=UTC))
    assert device in await spans.under_maintenance(connection, night)
    assert (night - 3_600_000_000, night + 3_600_000_000) in ever


async def test_last_day_ends_a_plan_by_itself(connection: asyncpg.Connection) -> None:
    plan = await _plan(connection, until_date=date(2026, 3, 22))

    assert await _begin(connection) == ["03-21 00", "03-22 00"]
    assert (await plans.get_plan(connection, plan, now=at())).state == "active"
    assert (await plans.get_plan(connection, plan, now=at(3))).state == "over"


async def test_mistake_is_refused(connection: asyncpg.Connection) -> None:
    mistakes: list[tuple[dict[str, object], str]] = [
        ({"days": (8,)}, "numbers of 1 to 7"),
        ({"every": "month", "days": (0,)}, "numbers of 1 to 31"),
        ({"days": ()}, "one at least"),
        ({"days": (1, 1)}, "different"),
        ({"until_date": date(2026, 3, 1)}, "nor over"),
        ({"from_date": date(2030, 3, 1)}, "within 366 days"),
    ]
    await builders.add_town(connection)
    right = {"every": "week", "days": (1,), "from_time": time(2), "until_time": time(4)}
    for changes, said in mistakes:
        wrong = Recurrence(**{**right, **changes})  # type: ignore[arg-type]
        with pytest.raises(Invalid, match=said):
            await plans.add_plan(connection, wrong, municipality="tripoli", reason="r", by=PLATFORM, now=at())
    with pytest.raises(Invalid, match="one of both"):
        await plans.add_plan(connection, Recurrence(**right), reason="r", by=PLATFORM, now=at())  # type: ignore[arg-type]
    assert await connection.fetchval("SELECT count(*) FROM maintenance_plan") == 0
