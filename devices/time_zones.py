"""The time zones that every part knows, and their clocks: those of the pinned package `tzdata`.

Not the machine's own files, which may be years older, and have names such as `localtime` that the database
does not know. `nabd doctor` compares the database's.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

NO_PLACE = frozenset({"Factory"})
"""Names in the package that stand for no clock."""


def _names() -> frozenset[str]:
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listed.split()) - NO_PLACE


TIME_ZONES = _names()


@cache
def zone_named(name: str) -> ZoneInfo:
    """Return a time zone.

    Raises:
        KeyError: it is none of TIME_ZONES.
    """
    if name not in TIME_ZONES:
        raise KeyError(name)
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
