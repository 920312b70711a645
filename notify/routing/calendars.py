"""Shifts as iCalendar (RFC 5545) for calendars to subscribe to, and entries of a calendar as who stands in.

Pure. An entry names a person by its title or by an attendee's e-mail. Must not know the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import icalendar

from devices.registry.errors import Invalid
from notify.routing.overrides import NewStandIn, PersonShift

MOST_BYTES = 1_000_000
MOST_ENTRIES = 1_000
PRODUCT = "-//Nabd//on-call//EN"


def to_calendar(schedule: str, title: str, shifts: Sequence[PersonShift], now: datetime) -> bytes:
    """Return shifts as a calendar; those in which nobody is on call are left out.

    Args:
        schedule: its name, for ids that stay the same.
        title: what calendars show.
        now: when it is made.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", title)
    for shift in shifts:
        if shift.person is None:
            continue
        entry = icalendar.Event()
        entry.add("uid", f"{shift.from_at:%Y%m%dT%H%M%SZ}-{schedule}@nabd")
        entry.add("dtstamp", now)
        entry.add("dtstart", shift.from_at)
        entry.add("dtend", shift.until_at)
        entry.add("summary", shift.display_name)
        entry.add(
            "description",
            f"{shift.person}, {'stands in on' if shift.override else 'on call by turns of'} {schedule}",
        )
        calendar.add_component(entry)
    found: bytes = calendar.to_ical()
    return found


def of_calendar(data: bytes, names: Mapping[str, str], zone: ZoneInfo) -> list[NewStandIn]:
    """Return who stands in by the entries of a calendar.

    Args:
        names: of people, by what an entry may call them: name, display name, e-mail; all in small letters.
        zone: the clock that counts where an entry says none: whole days too.

    Raises:
        Invalid: it is no calendar, or an entry names nobody, repeats, or has no end; with the entry.
    """
    if len(data) > MOST_BYTES:
        raise Invalid("calendar", f"has more than {MOST_BYTES} bytes")
    try:
        calendar = icalendar.Calendar.from_ical(data)
        entries = calendar.walk("VEVENT")
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise Invalid("calendar", f"is no iCalendar file: {str(error)[:200]}") from None
    if len(entries) > MOST_ENTRIES:
        raise Invalid("calendar", f"has more than {MOST_ENTRIES} entries")
    if not entries:
        raise Invalid("calendar", "has no entries (VEVENT)")
    return [_stand_in(entry, names, zone) for entry in entries]


def _stand_in(entry: Any, names: Mapping[str, str], zone: ZoneInfo) -> NewStandIn:
    title = str(entry.get("SUMMARY", "")).strip()
    what = f"entry {title[:60]!r}"
    if "RRULE" in entry or "RDATE" in entry:
        raise Invalid(what, "repeats: write each time out, or make a layer of it")
    try:
        start, end = entry.start, entry.end
    except Exception as error:
        raise Invalid(what, f"has no beginning and end: {str(error)[:200]}") from None
    from_at, until_at = _instant(start, zone), _instant(end, zone)
    if until_at <= from_at:
        raise Invalid(what, "has no end after its beginning")
    uid = str(entry.get("UID", "")).strip()
    return NewStandIn(
        person=_person(entry, title, names, what),
        from_at=from_at,
        until_at=until_at,
        uid=uid or None,
    )


def _person(entry: Any, title: str, names: Mapping[str, str], what: str) -> str:
    listed = entry.get("ATTENDEE", [])
    attendees = [str(one) for one in (listed if isinstance(listed, list) else [listed])]
    for said in (title, *attendees):
        found = names.get(said.lower().removeprefix("mailto:").strip())
        if found is not None:
            return found
    raise Invalid(what, "names nobody: write a person's name as its title, or add them by e-mail")


def _instant(said: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(said, datetime):
        said = datetime.combine(said, time(), tzinfo=zone)
    return said if said.tzinfo is not None else said.replace(tzinfo=zone)
