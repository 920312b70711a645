"""Public holidays and Ramadan of a territory, as they are foreseen. Pure.

Days that follow the moon are announced by sight, and may come a day earlier or later than foreseen: whoever
asks corrects them by hand (work.calendars.editing). Must not know municipalities.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

import hijridate
import holidays

from work.calendars.working import Days

RAMADAN = 9
SHORTER_IN_RAMADAN = frozenset(
    "AE BH DJ DZ EG IQ JO KM KW LB LY MA MR OM PS QA SA SD SO SY TN YE".split()  # noqa: SIM905 - a list to read
)
"""Territories (ISO 3166) whose offices keep shorter hours in Ramadan."""


def territory_of(locale: str) -> str | None:
    """Return the territory of a locale such as ar-LB; None where it names none."""
    parts = [part for part in locale.replace("_", "-").split("-")[1:] if len(part) == 2 and part.isalpha()]
    return parts[0].upper() if parts else None


@cache
def public_holidays(territory: str | None, year: int, language: str = "en") -> Mapping[date, str]:
    """Return the public holidays of a territory in a year, with their names.

    Args:
        language: of the names; where they are not known in it, the territory's own.
    """
    if territory is None or territory not in holidays.list_supported_countries(include_aliases=False):
        return {}
    known = holidays.list_localized_countries().get(territory, [])
    # The library names languages as they are spoken somewhere: English is en_US.
    wanted = next((one for one in known if one.partition("_")[0] == language), None)
    found = holidays.country_holidays(territory, years=year, language=wanted)
    return {day: found[day] for day in sorted(found) if day.year == year}


@cache
def ramadan_of(hijri_year: int) -> Days:
    """Return the first and the last day of Ramadan of a Hijri year, by the calendar of Umm al-Qura.

    Raises:
        OverflowError: the year is not in the calendar.
    """
    first = hijridate.Hijri(hijri_year, RAMADAN, 1)
    day = first.to_gregorian()
    start = date(day.year, day.month, day.day)
    return start, start + timedelta(days=first.month_length() - 1)


def hijri_year_of(day: date) -> int:
    """Return the Hijri year in which a day lies.

    Raises:
        OverflowError: the day is not in the calendar.
    """
    return hijridate.Gregorian(day.year, day.month, day.day).to_hijri().year
