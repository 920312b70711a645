"""Event ids and instants in text."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from api.schemas.alerts import format_cursor, parse_cursor
from devices.instants import rfc3339


def test_cursor_survives_being_an_event_id() -> None:
    assert parse_cursor(format_cursor((7421, 118))) == (7421, 118)


@pytest.mark.parametrize("text", ["", "7421", "-1", "a-b", "1-2-3", "1--2", "9" * 20 + "-1", "٧-١٠x"])
def test_cursor_is_refused_when_it_is_not_ours(text: str) -> None:
    with pytest.raises(ValueError, match="event id"):
        parse_cursor(text)


@pytest.mark.parametrize(
    ("microsecond", "text"), [(0, "08:30:00Z"), (250_000, "08:30:00.25Z"), (7, "08:30:00.000007Z")]
)
def test_instant_is_written_in_utc_whatever_its_offset(microsecond: int, text: str) -> None:
    beirut = datetime(2026, 3, 1, 10, 30, 0, microsecond, tzinfo=timezone(timedelta(hours=2)))

    assert rfc3339(beirut) == "2026-03-01T" + text
