"""Working hours as people write and read them: 08:00-12:00,13:00-16:00. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from devices.registry.errors import Invalid
from work.calendars.working import DAY_MIN, DayHours

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_HOURS: DayHours = ((8 * 60, 16 * 60),)
DEFAULT_IN_RAMADAN: DayHours = ((9 * 60, 14 * 60),)
REST = "rest"
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)")


def parse_hours(text: str, field: str = "hours") -> DayHours:
    """Return hours as minutes after midnight; "rest" has none.

    Raises:
        Invalid: they are no spans of one day in order.
    """
    if text.strip() == REST:
        return ()
    found = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise Invalid(field, f"{part.strip()!r}: write 08:00-16:00, or 08:00-12:00,13:00-16:00, or rest")
        first, second, third, fourth = map(int, match.groups())
        found.append((first * 60 + second, third * 60 + fourth))
    reached = -1
    for start, end in found:
        if not reached < start < end <= DAY_MIN:
            raise Invalid(
                field, f"{text!r}: spans end after they begin, on the same day, one after the other"
            )
        reached = end
    return tuple(found)


def hours_text(hours: DayHours) -> str:
    """Return hours as people write them."""
    return ",".join(f"{_time(start)}-{_time(end)}" for start, end in hours) or REST


def stored_hours(hours: DayHours) -> list[list[str]]:
    """Return hours as they are stored."""
    return [[_time(start), _time(end)] for start, end in hours]


def of_stored(spans: Sequence[Sequence[str]]) -> DayHours:
    """Return stored hours."""
    return parse_hours(",".join(f"{start}-{end}" for start, end in spans) or REST)


def week_text(week: Mapping[int, DayHours]) -> dict[str, str]:
    """Return the hours of each day of the week, by its name."""
    return {name: hours_text(week.get(day, ())) for day, name in enumerate(WEEKDAYS, 1)}


def parse_week(week: Mapping[str, str]) -> dict[int, DayHours]:
    """Return hours by ISO day; a day that is left out is one of rest.

    Raises:
        Invalid: a day or its hours are none, or nobody ever works.
    """
    found = {}
    for name, text in week.items():
        if name not in WEEKDAYS:
            raise Invalid("hours", f"{name!r} is no day: write {', '.join(WEEKDAYS)}")
        found[WEEKDAYS.index(name) + 1] = parse_hours(text, f"hours.{name}")
    if not any(found.values()):
        raise Invalid("hours", "somebody works on one day of the week at least")
    return found


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
