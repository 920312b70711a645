"""The first municipality, of which `nabd init` was told: made by `nabd migrate` where there is none."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from importlib import resources

from devices.instants import Now
from devices.registry.errors import Invalid
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.texts.languages import Language
from store.audit import PLATFORM
from store.connection import Connection

_ANY = "SELECT EXISTS (SELECT FROM municipality)"


async def add_first(
    connection: Connection, name: str, language: Language, time_zone: str, now: Now
) -> str | None:
    """Add a municipality at the city of its time zone, unless there is one; return its name if it was added.

    Raises:
        RegistryError: name or time zone cannot be used.
    """
    if await connection.fetchval(_ANY):
        return None
    country, lat, lon = place_of(time_zone)
    locale = f"{language}-{country}" if country else language
    new = NewMunicipality(name=name, time_zone=time_zone, locale=locale, lat=lat, lon=lon)
    try:
        await add_municipality(connection, new, now, by=PLATFORM)
    except Invalid:  # CLDR does not have the language in that country
        await add_municipality(connection, replace(new, locale=language), now, by=PLATFORM)
    return name


_DEGREES = re.compile(r"([+-])(\d{2,3})(\d{2})(\d{2})?")


@cache
def place_of(time_zone: str) -> tuple[str, float | None, float | None]:
    """Return country, latitude and longitude of a zone's city by the tz database, or "" and None."""
    table = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        columns = line.split("\t")
        if not line.startswith("#") and columns[2] == time_zone:
            lat, lon = (_degrees(match) for match in _DEGREES.finditer(columns[1]))
            return columns[0], lat, lon
    return "", None, None


def _degrees(match: re.Match[str]) -> float:
    sign, degrees, minutes, seconds = match.groups()
    size = int(degrees) + int(minutes) / 60 + int(seconds or 0) / 3600
    return round(-size if sign == "-" else size, 4)
