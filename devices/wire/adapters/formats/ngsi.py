"""NGSI-LD and NGSIv2: notifications of a context broker, and entities as such a broker stores them.

Pure. Normalised, concise and simplified (key-values) alike; an entity is a device, an attribute a value.
Each attribute belongs to its own `observedAt`; those without belong to the newest of their entity. The topic
is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from devices.wire import instants
from devices.wire.adapters.formats.bounded import MAX_UPLINKS, named, read_json
from devices.wire.adapters.formats.heard import Heard, RefusedPart
from devices.wire.adapters.uplink import Unreadable, Uplink

_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ENTITY: Final = msgspec.json.Decoder(dict[str, Any])


class _Notification(msgspec.Struct, rename="camel"):
    data: list[msgspec.Raw] | None = None
    notified_at: str | None = None


_NOTIFICATION: Final = msgspec.json.Decoder(_Notification)

_NO_ATTRIBUTES: Final = frozenset({"id", "type", "@id", "@type", "@context", "scope"})
_INSTANTS: Final = ("TimeInstant", "dateObserved", "dateModified", "modifiedAt")
"""Attributes that say when an entity was observed, the best first."""
_VALUES: Final = ("value", "object", "languageMap", "vocab", "json", "valueList", "objectList")
"""Members of an attribute that are its value, by its type: Property, Relationship and so on."""
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def read(topic: str, payload: bytes, received_at: int) -> Heard:
    """Return what a notification says; see heard.FormatReader. A bad entity is refused alone.

    Raises:
        Unreadable: the payload is neither a notification, nor an entity, nor an array of such.
    """
    read_json(_RAW, payload)
    notified_at = None
    if payload.lstrip().startswith(b"["):
        entities = read_json(_LIST, payload)
    else:
        said = read_json(_NOTIFICATION, payload)
        entities = [msgspec.Raw(payload)] if said.data is None else said.data
        notified_at = said.notified_at if said.data is not None else None
    if len(entities) > MAX_UPLINKS:
        raise Unreadable(f"{len(entities)} entities, the limit is {MAX_UPLINKS}")
    heard = Heard()
    for entity in entities:
        raw = bytes(entity)
        try:
            heard.uplinks.extend(_entity(raw, notified_at))
        except Unreadable as error:
            if len(entities) == 1:
                raise
            heard.refused.append(RefusedPart(raw=raw, why=str(error)))
    return heard


def _entity(raw: bytes, notified_at: str | None) -> list[Uplink]:
    said = read_json(_ENTITY, raw)
    device = said.get("id", said.get("@id"))
    if not isinstance(device, str):
        raise Unreadable("an entity needs the text `id`")
    named(device, "an entity")
    by_instant: dict[int | None, tuple[dict[str, object], dict[str, str]]] = {}
    for name, attribute in said.items():
        if name in _NO_ATTRIBUTES or name in _INSTANTS:
            continue
        chosen = _chosen(attribute)
        values, units = by_instant.setdefault(_observed_at(name, chosen), ({}, {}))
        short = _short(name)
        values[short] = _value(chosen)
        unit = _metadata(chosen, "unitCode")
        if isinstance(unit, str):
            units[short] = unit
    _date_the_rest(by_instant, said, notified_at)
    return [
        Uplink(device=device, raw=raw, at=at, values=values, units=units)
        for at, (values, units) in sorted(by_instant.items(), key=lambda item: item[0] or 0)
    ]


def _date_the_rest(
    by_instant: dict[int | None, tuple[dict[str, object], dict[str, str]]],
    said: Mapping[str, Any],
    notified_at: str | None,
) -> None:
    """Give attributes without an instant of their own the newest of their entity, else the entity's."""
    undated = by_instant.pop(None, None)
    if undated is None:
        return
    found = max((at for at in by_instant if at is not None), default=None)
    if found is None:
        texts = (_value(_chosen(said[name])) for name in _INSTANTS if name in said)
        found = next((_instant("an entity", text) for text in texts if text), None)
    if found is None and notified_at is not None:
        found = _instant("notifiedAt", notified_at)
    values, units = by_instant.setdefault(found, ({}, {}))
    values.update(undated[0])
    units.update(undated[1])


def _chosen(attribute: object) -> object:
    """Return the one of several instances of an attribute that has no `datasetId`, else the first."""
    if isinstance(attribute, list) and attribute and all(_is_attribute(one) for one in attribute):
        return next((one for one in attribute if "datasetId" not in one), attribute[0])
    return attribute


def _is_attribute(said: object) -> bool:
    return isinstance(said, dict) and any(name in said for name in _VALUES)


def _value(attribute: object) -> object:
    if not isinstance(attribute, dict) or not _is_attribute(attribute):
        return attribute  # simplified, or a GeoJSON geometry in concise representation
    value = next(attribute[name] for name in _VALUES if name in attribute)
    if isinstance(value, dict) and set(value) in ({"@value"}, {"@value", "@type"}):
        return value["@value"]
    return value


def _metadata(attribute: object, name: str) -> object:
    """Return a member of an attribute: beside the value in NGSI-LD, in its metadata in NGSIv2."""
    if not isinstance(attribute, dict) or not _is_attribute(attribute):
        return None
    metadata = attribute.get("metadata")
    found = attribute.get(name, metadata.get(name) if isinstance(metadata, dict) else None)
    return _value(found)


def _observed_at(name: str, attribute: object) -> int | None:
    for member in ("observedAt", "TimeInstant", "dateObserved", "modifiedAt", "dateModified"):
        found = _metadata(attribute, member)
        if found is not None:
            return _instant(name, found)
    return None


def _instant(name: str, said: object) -> int:
    """Return an instant in microseconds; of an interval (`dateObserved` may be one), its end."""
    if not isinstance(said, str):
        raise Unreadable(f"an instant of {name[:40]!r} is no text")
    text = said.rpartition("/")[2].strip()
    try:
        return instants.parse(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    except instants.BadTime as error:
        raise Unreadable(f"{said[:40]!r} of {name[:40]!r}: {error}") from error


def _short(name: str) -> str:
    """Return an attribute's term where the broker wrote it out as an address."""
    return named(re.split("[/#]", name)[-1] if name.startswith("http") else name, "an attribute")
