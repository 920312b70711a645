"""Numbers, shares, lengths and dates as a reader of the report writes them. Pure.

In Arabic the municipality's locale decides on the digits, as in the console.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from math import floor
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from devices.registry.registry import Municipality
from devices.texts.catalogue import plural, text
from devices.texts.languages import DEFAULT, Language, direction_of, locale_in
from devices.time_zones import zone_named

NOTHING = "–"
"""Of what there is no figure."""
_ARABIC_INDIC = str.maketrans("0123456789%", "٠١٢٣٤٥٦٧٨٩٪")
"""Babel writes the others, also where a locale has these."""
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStyle:
    """How one reader writes. locale: Babel's name of it."""

    language: Language
    locale: Locale
    zone: ZoneInfo

    def text(self, key: str, **values: str) -> str:
        """Return a text of the report."""
        return text(self.language, key, **values)

    def plural(self, key: str, n: int, **values: str) -> str:
        """Return a text of the report that depends on a number."""
        return self._digits(plural(self.language, key, n, **values))

    def number(self, n: float) -> str:
        """Return a number."""
        return self._digits(format_decimal(n, locale=self.locale, group_separator=False))

    def share(self, share: float | None) -> str:
        """Return a share in whole per cent, down: what misses an aim is not written as the aim, nor as all.

        Below one per cent in tenths, of which one is the least: it is not none.
        """
        if share is None:
            return NOTHING
        steps = 1000 if 0 < share < 0.01 else 100
        down = max(floor(share * steps + 1e-9), 1 if share else 0) / steps
        written = format_percent(down, locale=self.locale, decimal_quantization=False)
        # A space that breaks would leave the sign alone on the next line.
        return self._digits(written).replace("\u00a0", "\u202f")

    def lasting(self, seconds: float | None) -> str:
        """Return a length in minutes, hours or days, whichever it is read in best."""
        if seconds is None:
            return NOTHING
        if seconds < 90 * _MINUTE:
            return self._unit(round(seconds / _MINUTE), "minute")
        if seconds < 2 * _DAY:
            return self._unit(round(seconds / _HOUR, 1), "hour")
        return self._unit(round(seconds / _DAY, 1), "day")

    def _unit(self, value: float, unit: str) -> str:
        # Short in Arabic is a single letter, which few read as a unit; days have no other form.
        spelt = self.language == "ar" and unit != "day"
        length: Literal["long", "short"] = "long" if spelt else "short"
        written = format_unit(value, f"duration-{unit}", length=length, locale=self.locale)
        return self._digits(written.replace(",", "٫")) if self._in_indic_digits else written

    def day(self, day: date) -> str:
        """Return a day with month and year, in words."""
        return self._digits(format_date(day, "d MMMM y", locale=self.locale))

    def moment(self, instant: datetime, beside: datetime | None = None) -> str:
        """Return an instant of the municipality's clock, with the year unless `beside` is in the same."""
        same = beside and instant.astimezone(self.zone).year == beside.astimezone(self.zone).year
        form = "d MMM HH:mm" if same else "d MMM y HH:mm"
        return self._digits(format_datetime(instant, form, tzinfo=self.zone, locale=self.locale))

    def named(self, title: object, otherwise: str) -> str:
        """Return a title in the reader's language; `otherwise` where there is none."""
        titles = title if isinstance(title, dict) else {}
        return titles.get(self.language) or titles.get(DEFAULT) or otherwise

    @property
    def rightward(self) -> bool:
        """Whether lines run from left to right."""
        return direction_of(self.language) == "ltr"

    @property
    def _in_indic_digits(self) -> bool:
        return bool(self.locale.default_numbering_system == "arab")

    def _digits(self, written: str) -> str:
        return written.translate(_ARABIC_INDIC) if self._in_indic_digits else written


def wording_of(town: Municipality, language: Language) -> ReportStyle:
    """Return how somebody writes of a municipality: as their language is written there."""
    own = Locale.parse(locale_in(language, town.locale), sep="-")
    return ReportStyle(language=language, locale=own, zone=zone_named(town.time_zone))
