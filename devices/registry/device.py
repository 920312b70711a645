"""What is registered: municipalities, devices, and all of them at one moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devices.instants import EPOCH
from devices.registry.life import Life, life_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Municipality:
    """One municipality: the owner of devices, with its time zone, language and weekend.

    `title` is by language (en, fr, ar). `weekend` holds ISO days, 1 is Monday. `shard` names whose ingest
    hears it.
    """

    id: int
    name: str
    title: Mapping[str, str]
    time_zone: str
    locale: str
    weekend: tuple[int, ...]
    lat: float | None
    lon: float | None
    register_unknown: bool
    shard: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One registered device: a place, with the hardware that stands there; `name` is the place's.

    titles: what it is called by language, where that is not `title`.
    parent: what feeds it. relays: the gateways that pass on what it sends, by name.
    wire_name: what the hardware calls itself in topics, if not by the name. replaced: how many stood there
    before. installed_at: None while it is planned. retired_at: None until it is retired. district, street:
    codes of where it stands (devices/registry/ground), with their names by language; a snapshot of the whole
    registry has neither street nor names.
    """

    id: int
    name: str
    kind: str
    municipality: str
    municipality_id: int
    parent: str | None = None
    parent_id: int | None = None
    title: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    lat: float | None = None
    lon: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    relays: tuple[str, ...] = ()
    wire_name: str = ""
    serial: str | None = None
    replaced: int = 0
    installed_at: datetime | None = EPOCH
    retired_at: datetime | None = None
    retired_reason: str | None = None
    version: int = 1
    district: str | None = None
    district_title: Mapping[str, str] = field(default_factory=dict)
    district_by_hand: bool = False
    street: str | None = None
    street_title: Mapping[str, str] = field(default_factory=dict)

    @property
    def wire(self) -> str:
        """What its hardware calls itself in topics."""
        return self.wire_name or self.name

    @property
    def life(self) -> Life:
        """Whether it is planned, installed or retired."""
        return life_of(self.installed_at, self.retired_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Everything registered, at one moment; retired devices included, with the instant of retirement.

    removed: by wire name, of hardware that stands nowhere any more, where it stood and since when not.
    banned: names that are never let in.
    """

    devices: Mapping[int, Device]
    by_name: Mapping[str, Device]
    municipalities: Mapping[str, Municipality]
    removed: Mapping[str, str] = field(default_factory=dict)
    banned: frozenset[str] = frozenset()
