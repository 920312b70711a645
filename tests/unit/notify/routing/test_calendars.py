"""Shifts as iCalendar, and who stands in from a calendar."""

from __future__ import annotations

from datetime import UTC, datetime

import icalendar
import pytest

from devices.registry.errors import Invalid
from devices.time_zones import zone_named
from notify.routing.calendars import of_calendar, to_calendar
from notify.routing.overrides import NewStandIn, PersonShift

BEIRUT = zone_named("Asia/Beirut")
NAMES = {"amal": "amal", "أمل الخوري": "amal", "rima@example.org": "rima"}
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def calendar(*entries: str) -> bytes:
    inside = "".join(f"BEGIN:VEVENT\n{entry}\nEND:VEVENT\n" for entry in entries)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{inside}END:VCALENDAR\n".replace(
        "\n", "\r\n"
    ).encode()


def shift(person: str | None, start: int, end: int, *, override: bool = False) -> PersonShift:
    return PersonShift(
        person=person,
        display_name="أمل الخوري" if person else None,
        from_at=datetime(2026, 3, start, 6, tzinfo=UTC),
        until_at=datetime(2026, 3, end, 6, tzinfo=UTC),
        override=override,
    )


def test_shifts_are_entries_whose_ids_stay() -> None:
    shifts = [shift(None, 1, 2), shift("amal", 2, 9), shift("amal", 9, 10, override=True)]

    first, again = to_calendar("night", "Nights", shifts, NOW), to_calendar("night", "Nights", shifts, NOW)
    entries = icalendar.Calendar.from_ical(first).walk("VEVENT")

    assert first == again
    assert [(str(e["SUMMARY"]), e.decoded("DTSTART"), e.decoded("DTEND")) for e in entries] == [
        ("أمل الخوري", shifts[1].from_at, shifts[1].until_at),
        ("أمل الخوري", shifts[2].from_at, shifts[2].until_at),
    ]
    assert len({str(e["UID"]) for e in entries}) == 2


def test_what_was_written_is_read() -> None:
    found = of_calendar(to_calendar("night", "Nights", [shift("amal", 2, 9)], NOW), NAMES, BEIRUT)

    assert [(one.person, one.from_at, one.until_at) for one in found] == [
        ("amal", datetime(2026, 3, 2, 6, tzinfo=UTC), datetime(2026, 3, 9, 6, tzinfo=UTC))
    ]


def test_entries_name_people_by_title_or_attendee_on_any_clock() -> None:
    found = of_calendar(
        calendar(
            "UID:1\nSUMMARY:Amal\nDTSTART:20260302T080000\nDTEND:20260302T200000",
            "UID:2\nSUMMARY:Night duty\nATTENDEE;CN=Rima:mailto:Rima@example.org\n"
            "DTSTART;TZID=Europe/Paris:20260302T080000\nDURATION:PT2H",
            "SUMMARY:أمل الخوري\nDTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260330",
        ),
        NAMES,
        BEIRUT,
    )

    assert found[0] == NewStandIn(
        person="amal",
        from_at=datetime(2026, 3, 2, 6, tzinfo=UTC),
        until_at=datetime(2026, 3, 2, 18, tzinfo=UTC),
        uid="1",
    )
    assert (found[1].person, found[1].from_at, found[1].until_at) == (
        "rima",
        datetime(2026, 3, 2, 7, tzinfo=UTC),
        datetime(2026, 3, 2, 9, tzinfo=UTC),
    )
    assert (found[2].person, found[2].uid) == ("amal", None)
    assert found[2].until_at == datetime(2026, 3, 29, 21, tzinfo=UTC), "midnight in summer time"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"hello", "calendar: is no iCalendar file"),
        (b"\xff\xfe", "calendar: is no iCalendar file"),
        (b"", "calendar: "),
        (calendar(), "calendar: has no entries"),
        (calendar("SUMMARY:amal\nDTSTART:20260302T080000Z"), "entry 'amal': has no end after"),
        (calendar("SUMMARY:amal\nDTEND:20260302T080000Z"), "entry 'amal': has no beginning and end"),
        (
            calendar("SUMMARY:zed\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z"),
            "entry 'zed': names nobody",
        ),
        (
            calendar("SUMMARY:amal\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z\nRRULE:FREQ=DAILY"),
            "entry 'amal': repeats",
        ),
        (b"x" * 1_000_001, "calendar: has more than"),
    ],
)
def test_a_calendar_that_cannot_be_taken_is_refused_with_the_entry(data: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        of_calendar(data, NAMES, BEIRUT)

    assert str(refused.value).startswith(said)
