"""What the registry accepts, field by field, with messages that name the fix.

Pure. Must not know the database: the caller says whether a name is taken or a parent exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from babel import Locale, UnknownLocaleError

from devices.acceptable import DIRECTING, fault, is_number
from devices.curves import parse_curve
from devices.kinds import STRUCTURAL, Kinds
from devices.kinds.kind import INTERVAL, MERGE, Attribute, AttributeType, Kind, floor_attribute
from devices.polygons import PolygonError, check_polygon
from devices.registry.errors import Invalid
from devices.suggestion import meant
from devices.supply import NIGHT, SUPPLY, parse_supply
from devices.texts.languages import LANGUAGES
from devices.time_zones import TIME_ZONES
from devices.wire import topics

TITLE_LIMIT = 200


def check_device_name(name: str) -> None:
    """Refuse a name that is not valid as a level of a topic."""
    if not topics.DEVICE.fullmatch(name) or not name.strip("."):
        raise Invalid(
            "name", f"{name!r} is not a device name: A-Z, a-z, 0-9 and _.:-, 1 to 64 of them, not dots alone"
        )


def check_municipality_name(name: str) -> None:
    """Refuse a name that is not valid as a level of a topic."""
    if not topics.MUNICIPALITY.fullmatch(name):
        raise Invalid("name", f"{name!r} is not a municipality name: a-z, 0-9 and -, 1 to 32 of them")


def check_kind(name: str, kinds: Kinds) -> None:
    """Refuse a kind that is not declared."""
    if name not in kinds and name not in STRUCTURAL:
        raise Invalid("kind", f"{name!r} is not declared; {meant(name, [*kinds, *STRUCTURAL])}")


def check_position(lat: float | None, lon: float | None) -> None:
    """Refuse latitude without longitude, or one out of range."""
    if (lat is None) != (lon is None):
        raise Invalid("lat" if lat is None else "lon", "latitude and longitude come together or not at all")
    if lat is not None and not -90 <= lat <= 90:
        raise Invalid("lat", f"{lat} is not a latitude: -90 to 90")
    if lon is not None and not -180 <= lon <= 180:
        raise Invalid("lon", f"{lon} is not a longitude: -180 to 180")


def check_title(title: str, field: str = "title") -> None:
    """Refuse a title that is too long, cannot be stored, or turns what stands beside it."""
    if len(title) > TITLE_LIMIT or "\x00" in title:
        raise Invalid(field, f"at most {TITLE_LIMIT} characters, none of them NUL")
    if not DIRECTING.isdisjoint(title):
        raise Invalid(field, "holds U+202A-202E or U+2066-2069, which turn the direction of writing")


def check_attributes(attributes: Mapping[str, Any], kind: Kind | None) -> None:
    """Refuse a declared attribute of the wrong type; an undeclared attribute is stored as it is."""
    declared = {a.name: a for a in kind.attributes} if kind else {}
    declared.setdefault(INTERVAL, Attribute(name=INTERVAL, unit="s"))
    declared.setdefault(MERGE, Attribute(name=MERGE, type=AttributeType.BOOLEAN))
    for measurement in kind.measurements if kind else ():
        if measurement.floor is not None:
            name = floor_attribute(measurement.name)
            declared.setdefault(name, Attribute(name=name, unit=measurement.unit))
    for name, value in attributes.items():
        if not name:
            raise Invalid("attributes", "an attribute has a name")
        if name in declared and value is not None:
            check_attribute(declared[name], value)
        if (found := fault({name: value})) is not None:
            raise Invalid(f"attributes.{name}", found[1])
    supply = attributes.get(SUPPLY)
    if supply is not None and parse_supply(supply) is None:
        raise Invalid(
            f"attributes.{SUPPLY}", f"{supply!r} is no plan of power: {NIGHT}, or hours such as 18:00-06:00"
        )
    interval = attributes.get(INTERVAL)
    if interval is not None and interval <= 0:
        raise Invalid(f"attributes.{INTERVAL}", f"{interval} s is not an interval: above 0")


def check_attribute(attribute: Attribute, value: Any) -> None:
    """Refuse a value that is not of the attribute's declared type."""
    field = f"attributes.{attribute.name}"
    unit = f" in {attribute.unit}" if attribute.unit else ""
    match attribute.type:
        case AttributeType.NUMBER:
            if not is_number(value):
                raise Invalid(field, f"{value!r} is not a number{unit}")
        case AttributeType.BOOLEAN:
            if not isinstance(value, bool):
                raise Invalid(field, f"{value!r} is neither true nor false")
        case AttributeType.TEXT:
            if not isinstance(value, str):
                raise Invalid(field, f"{value!r} is not text: put it in quotes")
        case AttributeType.CURVE:
            if not isinstance(value, str) or parse_curve(value) is None:
                raise Invalid(
                    field, f"{value!r} is no curve: points such as 0:0.1 50:0.3 100:1, the first rising"
                )
        case AttributeType.POLYGON:
            try:
                check_polygon(value)
            except PolygonError as error:
                raise Invalid(field, str(error)) from None


def check_titles(titles: Mapping[str, str], field: str = "title") -> None:
    """Refuse titles in other languages than the platform's."""
    for language, text in titles.items():
        if language not in LANGUAGES:
            raise Invalid(field, f"{language!r} is not a language of the platform: {', '.join(LANGUAGES)}")
        check_title(text, f"{field}.{language}")


def check_time_zone(name: str) -> None:
    """Refuse a time zone that the tz database does not have."""
    if name not in TIME_ZONES:
        close = get_close_matches(name, TIME_ZONES, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "for example Asia/Beirut"
        raise Invalid("time_zone", f"{name!r} is not in the tz database; {hint}")


def check_locale(name: str) -> None:
    """Refuse a locale that CLDR does not know, or whose language is not the platform's."""
    try:
        locale = Locale.parse(name, sep="-")
    except (ValueError, UnknownLocaleError):
        raise Invalid("locale", f"{name!r} is not a locale; for example ar-LB, ar-LY, fr-MA or en") from None
    if locale.language not in LANGUAGES:
        raise Invalid("locale", f"{name!r}: the platform speaks {', '.join(LANGUAGES)}; for example ar-LB")


def check_weekend(days: Iterable[int]) -> None:
    """Refuse days outside the ISO week, and a week of nothing else: no deadline would ever come."""
    days = set(days)
    if len(days & set(range(1, 8))) == 7:
        raise Invalid("weekend", "leaves no day of work")
    for day in days:
        if not 1 <= day <= 7:
            raise Invalid("weekend", f"{day} is not an ISO day: 1 is Monday, 5 Friday, 7 Sunday")
