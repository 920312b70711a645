"""Addresses below the service, such as Things('bin-0007')/Datastreams, and what they name. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from api.standards.sensorthings.model import NAVIGATION

_SEGMENT = re.compile(r"([A-Za-z$][\w.]*)(?:\('((?:[^']|'')*)'\)|\((\d{1,18})\))?")
OF_KINDS = ("Sensors", "ObservedProperties")


class NoSuchAddress(LookupError):
    """An address that leads nowhere; the text says where it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of an address between slashes. id: of one entity of a set."""

    name: str
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a request leads.

    segments: sets and navigation properties. member: what of the entity alone. raw: its bare value. links:
    only the addresses of entities.
    """

    segments: tuple[Segment, ...] = ()
    member: str | None = None
    raw: bool = False
    links: bool = False

    @property
    def device(self) -> str | None:
        """The device of which alone something is asked; None: of several."""
        first = self.segments[0]
        if first.id is None or first.name in OF_KINDS:
            return None
        colons = {"Datastreams": 1, "Observations": 2}.get(first.name, 0)
        return first.id.rsplit(":", colons)[0] if colons else first.id


def parse(path: str) -> Address:
    """Return what a path means.

    Raises:
        NoSuchAddress: nothing.
    """
    parts = [part for part in path.split("/") if part]
    raw = links = False
    if parts and parts[-1] == "$value":
        raw, parts = True, parts[:-1]
    elif parts and parts[-1] == "$ref":
        links, parts = True, parts[:-1]
    segments: list[Segment] = []
    for part in parts:
        match = _SEGMENT.fullmatch(part)
        if match is None:
            raise NoSuchAddress(f"{part[:60]!r} is no part of an address: an id is a number or 'in quotes'")
        name, quoted, number = match.groups()
        named = quoted.replace("''", "'") if quoted is not None else number
        known = NAVIGATION if not segments else NAVIGATION[set_of(segments)]
        if name not in known:
            if segments and named is None and part == parts[-1] and _is_entity(segments):
                return Address(segments=tuple(segments), member=name, raw=raw)
            raise NoSuchAddress(f"{name!r} is none of {', '.join(known)}")
        if segments and not _is_entity(segments):
            raise NoSuchAddress(f"{segments[-1].name} are many: name one as {segments[-1].name}('…')")
        segments.append(Segment(name=name, id=named))
    if raw or not segments:
        raise NoSuchAddress("$value is of a property" if raw else "the service itself has no more to tell")
    return Address(segments=tuple(segments), links=links)


def set_of(segments: list[Segment] | tuple[Segment, ...]) -> str:
    """Return of which set the entities are to which segments lead."""
    found = segments[0].name
    for segment in segments[1:]:
        found = NAVIGATION[found][segment.name]
    return found


def _is_entity(segments: list[Segment]) -> bool:
    return segments[-1].id is not None or segments[-1].name not in NAVIGATION
