"""The fields of a device to register, and what is wrong with them.

Pure. Must not know the database: the caller says whether a municipality or a parent exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devices.kinds import STRUCTURAL, Kinds
from devices.registry.errors import Invalid
from devices.registry.placement import check_around_home
from devices.registry.registry import Municipality
from devices.registry.validation import (
    check_attributes,
    check_device_name,
    check_kind,
    check_position,
    check_title,
    check_titles,
)
from devices.suggestion import meant
from devices.wire.topics import GATEWAY

FEEDING = tuple(kind for kind in STRUCTURAL if kind != GATEWAY)
"""Kinds that feed others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """The fields of a device to register; municipality and parent by name.

    titles: by language, where the title is another there.
    parent: what feeds it; a gateway given as such becomes a relay. relays: gateways, by name.
    installed_at: None is the moment of registration, unless it is planned.
    district: the code of one that somebody set, None for the one in which it stands.
    """

    name: str
    kind: str
    municipality: str
    parent: str | None = None
    title: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    lat: float | None = None
    lon: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    relays: tuple[str, ...] = ()
    serial: str | None = None
    installed_at: datetime | None = None
    planned: bool = False
    district: str | None = None


def check(kinds: Kinds, new: NewDevice) -> None:
    """Refuse a device with a mistake that shows without the database.

    Raises:
        Invalid: the first field that is not acceptable.
    """
    for problem in problems(kinds, new):
        raise problem


def problems(kinds: Kinds, new: NewDevice) -> list[Invalid]:
    """Return every mistake that shows without the database, one error a field at most."""
    checks: tuple[Callable[[], None], ...] = (
        lambda: check_device_name(new.name),
        lambda: check_kind(new.kind, kinds),
        lambda: check_position(new.lat, new.lon),
        lambda: check_title(new.title),
        lambda: check_titles(new.titles, "titles"),
        lambda: _check_attributes(kinds, new),
        lambda: _check_not_own_parent(new),
        lambda: _check_planned(new),
    )
    found = []
    for refuse in checks:
        try:
            refuse()
        except Invalid as problem:
            found.append(problem)
    return found


def _check_attributes(kinds: Kinds, new: NewDevice) -> None:
    check_attributes(new.attributes, kinds.get(new.kind))
    check_around_home(kinds.get(new.kind), new.attributes)


def _check_not_own_parent(new: NewDevice) -> None:
    if new.parent == new.name:
        raise Invalid("parent", "a device is not its own parent")


def _check_planned(new: NewDevice) -> None:
    if new.planned and new.installed_at is not None:
        raise Invalid("installed_at", "a planned device is not installed yet: say one or the other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """What must be known of a parent to accept it."""

    id: int
    kind: str
    municipality: str
    retired: bool = False


def check_parent(name: str, parent: Parent | None, municipality: str) -> None:
    """Refuse a parent that does not exist, is not structural, is retired, or is of another municipality.

    Raises:
        Invalid: field `parent`.
    """
    if parent is None:
        raise Invalid("parent", f"{name!r} is not registered; register it first")
    if parent.kind not in FEEDING:
        raise Invalid("parent", f"{name!r} is a {parent.kind}; a parent is a {' or '.join(FEEDING)}")
    if parent.municipality != municipality:
        raise Invalid("parent", f"{name!r} stands in {parent.municipality}, not in {municipality}")
    if parent.retired:
        raise Invalid("parent", f"{name!r} is retired; `nabd device edit {name} --reinstate` puts it back")


def find_municipality(name: str, municipalities: Mapping[str, Municipality]) -> Municipality:
    """Return a municipality by name.

    Raises:
        Invalid: there is none of that name.
    """
    if name not in municipalities:
        hint = f"`nabd municipality add {name}` adds it; {meant(name, municipalities)}"
        raise Invalid("municipality", f"{name!r} is unknown; {hint}")
    return municipalities[name]
