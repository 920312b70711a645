"""How long readings are watched after a repair."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from devices import kinds, verify_span
from devices.kinds.kind import KindError
from devices.time_zones import zone_named


@pytest.mark.parametrize(
    ("text", "said", "end"),
    [
        ("2h", "7200s", "2026-03-01T14:00"),
        ("3 intervals", "3 intervals", "2026-03-01T12:30"),
        ("1 interval", "1 intervals", "2026-03-01T12:10"),
        # Two o'clock in Beirut: this night and the next, until 8 of the 3rd there.
        ("2 nights", "2 nights", "2026-03-03T06:00"),
    ],
)
def test_a_span_has_an_end(text: str, said: str, end: str) -> None:
    span = verify_span.parse(text)
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert str(span) == said
    assert verify_span.parse(str(span)) == span
    assert span.end(start, 600, zone_named("Asia/Beirut")) == datetime.fromisoformat(end + "+00:00")


@pytest.mark.parametrize(("local", "day"), [("15:59", 3), ("16:00", 4), ("23:30", 4), ("02:00", 3)])
def test_a_night_that_has_begun_does_not_count(local: str, day: int) -> None:
    zone = zone_named("UTC")
    start = datetime.fromisoformat(f"2026-03-01T{local}+00:00")
    assert verify_span.parse("2 nights").end(start, 600, zone).day == day


@pytest.mark.parametrize("text", ["", "soon", "0h", "2 weeks", "91d", "1.5 nights", "91 nights", "-2h"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is "):
        verify_span.parse(text)


def test_a_kind_says_how_its_repairs_show() -> None:
    declared = kinds.load()
    assert {name: kind.verify_within for name, kind in declared.items()} == {
        "bin": "3 intervals",
        "drone": "1d",
        "light": "2 nights",
    }
    with pytest.raises(KindError, match="verify_within 'soon' is not a time"):
        replace(declared["bin"], verify_within="soon")
