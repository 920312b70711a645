"""One device as a network knows it, and why a network did not answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class NetworkRefused(Exception):
    """A network did not tell its devices; the text says what it answered, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDevice:
    """What a network says of one device.

    eui: its DevEUI, sixteen hexadecimal digits. title: what people call it. models: what the network calls
    its hardware, the most telling name first. tags: what people wrote beside it. lat, lon: where it stands.
    """

    eui: str
    title: str = ""
    models: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
