"""When a report is due: on Monday at seven of the municipality's clock, and an hour after the month."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from notify.outbox.planned import NoticeTopic
from notify.outbox.scheduled import last_due


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 30, 4, 59, tzinfo=UTC), date(2026, 11, 16)),
        (datetime(2026, 11, 30, 5, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 12, 6, 21, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 12, 6, 22, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 7, 6, 4, 0, tzinfo=UTC), date(2026, 6, 29)),
    ],
    ids=str,
)
def test_the_week_before_is_due_on_monday_at_seven_in_beirut(now: datetime, expected: date) -> None:
    assert last_due(NoticeTopic.WEEKLY_REPORT, "Asia/Beirut", now) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 12, 1, 0, 59, tzinfo=UTC), date(2026, 10, 1)),
        (datetime(2026, 12, 1, 1, 0, tzinfo=UTC), date(2026, 11, 1)),
        (datetime(2027, 1, 5, tzinfo=UTC), date(2026, 12, 1)),
    ],
    ids=str,
)
def test_the_month_before_is_due_an_hour_after_its_end(now: datetime, expected: date) -> None:
    assert last_due(NoticeTopic.AUDIT_HEADS, "UTC", now) == expected
