"""The time zones that every part knows: those of the pinned package `tzdata`.

Not the machine's own files, which may be years older, and have names such as `localtime` that the database
does not know.
"""

from __future__ import annotations

from importlib import resources

NO_PLACE = frozenset({"Factory"})
"""Names in the package that stand for no clock."""


def _names() -> frozenset[str]:
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listed.split()) - NO_PLACE


TIME_ZONES = _names()
