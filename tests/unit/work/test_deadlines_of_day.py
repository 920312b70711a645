"""Until when the order of a plan has to be done: when work ends on its day, or on the next day of work."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from devices.time_zones import zone_named
from work.calendars.working import WorkingCalendar
from work.clocks.deadlines import deadlines_of_day

BEIRUT = WorkingCalendar(
    zone=zone_named("Asia/Beirut"),
    hours=dict.fromkeys(range(1, 6), ((8 * 60, 16 * 60),)),
    ramadan_hours=None,
    ramadan=(),
    holidays=frozenset(),
)


@pytest.mark.parametrize(
    ("made", "day", "due"),
    [
        ("2026-01-08T09:00", "2026-01-15", "2026-01-15T14:00"),
        ("2026-01-08T09:00", "2026-01-17", "2026-01-19T14:00"),  # a Saturday
        # Made after work, or days later: never missed as soon as it is made.
        ("2026-01-15T14:00", "2026-01-15", "2026-01-16T14:00"),
        ("2026-01-16T15:00", "2026-01-16", "2026-01-19T14:00"),
        ("2026-01-20T09:00", "2026-01-15", "2026-01-20T14:00"),
    ],
)
def test_due(made: str, day: str, due: str) -> None:
    created_at = datetime.fromisoformat(made).replace(tzinfo=UTC)
    found = deadlines_of_day(created_at, date.fromisoformat(day), BEIRUT)
    assert found.repair_due_at == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert found.repair_near_at is not None
    assert created_at < found.repair_near_at < found.repair_due_at
    assert found.response_due_at is None
