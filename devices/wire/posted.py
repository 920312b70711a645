"""A body of telemetry, as a device posts it, to elements as its gateway relays them.

Pure. What cannot be taken apart travels on as refused, so that ingest rejects it in sight. Must not know
HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from devices.kinds.kind import Kind
from devices.wire import elements, raw, tokens
from devices.wire.adapters.formats import FormatReader
from devices.wire.adapters.profile.units import BadUnit, converter
from devices.wire.adapters.profile.values import rounded
from devices.wire.adapters.uplink import Uplink
from devices.wire.gateway import ENTRY, NUMBERED

_OURS = ("boot", "seq", raw.KEY, "refused", NUMBERED, ENTRY)
"""Members that whoever relays writes itself."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedElement:
    """One element. position: its place in the body's array, LONE where the body is no array."""

    position: int
    element: Mapping[str, object]

    def pointer(self, within: str) -> str:
        """Return a pointer into the element as one into the body."""
        return elements.pointer(self.position) + within


def of_body(body: bytes, kind: str, device: str) -> list[PostedElement]:
    """Return the elements of a body in the platform's own JSON.

    Args:
        kind, device: whose they are; both empty for a gateway, whose elements say so.

    Raises:
        ValueError: it is no object and no array of such; see elements.split.
    """
    own = {"kind": kind, "device": device} if device else {}
    return [
        PostedElement(position=position, element=_element(sent, own))
        for position, sent in elements.split(body)
    ]


def of_pack(
    reader: FormatReader, body: bytes, kind: Kind | None, device: str, received_at: int
) -> list[PostedElement]:
    """Return an element for each instant of a SenML pack; its names are those of measurements.

    Numbers become what the kind stores by the units that the pack says; an instant of which one cannot is
    refused.

    Args:
        kind: the device's; None for a gateway, which says nothing of itself.

    Raises:
        ValueError: it is no pack, or speaks of several devices: a device speaks of itself alone.
    """
    uplinks = reader.read(device, body, received_at).uplinks
    if len({uplink.device for uplink in uplinks}) > 1:
        raise ValueError("the pack speaks of several devices; a device posts of itself alone")
    if kind is None:
        raise ValueError("a pack speaks of the device that posts it; what a gateway relays comes as JSON")
    own = {"kind": kind.name, "device": device}
    return [
        PostedElement(position=place, element=_in_units_of(kind, uplink, body) | own)
        for place, uplink in enumerate(uplinks)
    ]


def _in_units_of(kind: Kind, uplink: Uplink, body: bytes) -> dict[str, object]:
    found: dict[str, object] = {**uplink.values, "ts": uplink.at}
    for measurement in kind.measurements:
        name = measurement.name
        unit, value = uplink.units.get(name), found.get(name)
        if unit is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        try:
            factor, summand = converter(unit, measurement.unit)
        except BadUnit as error:
            return {"refused": f"{name}: {error}", **raw.member(body)}
        found[name] = rounded(value * factor + summand)
    return found


def _element(sent: bytes, own: Mapping[str, object]) -> dict[str, object]:
    try:
        members: dict[str, object] = dict(_members(sent))
    except ValueError as error:
        return {**own, "refused": f"not an object: {error}", **raw.member(sent)}
    return {name: value for name, value in members.items() if name not in _OURS} | dict(own)


def _members(sent: bytes) -> Mapping[str, object]:
    try:
        return _object.decode(sent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {name: msgspec.Raw(value) for name, value in tokens.members(sent)}
