"""SenML (RFC 8428): packs of records in JSON, or in CBOR with its integer labels.

Pure. Records are resolved first (base name, time, unit, value and sum), then gathered by device and instant.
A name is a device's and, after it, a measurement's: the base name is the device where there is one. Where
there is none and names hold no device either, or they are paths like `/3303/0/5700`, the last part of the
topic is it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Final

import cbor2
import msgspec

from devices.nesting import MAX_DEPTH
from devices.wire.adapters.formats.bounded import (
    LAST_INSTANT,
    MAX_UPLINKS,
    check_size,
    converted,
    named,
    read_json,
)
from devices.wire.adapters.formats.heard import Heard
from devices.wire.adapters.uplink import Unreadable, Uplink

_RELATIVE_BELOW_S: Final = 2**28
"""Times below it are seconds from now, negative ones in the past (RFC 8428, 4.5.3)."""
_VERSION: Final = 10
_DEV_URN: Final = re.compile(r"(urn:dev:[a-z]+:[^:/_;]+)(?:[:/_;](.+))?")

_Number = Annotated[float, msgspec.Meta(ge=-1e300, le=1e300)] | None


class _Record(msgspec.Struct, forbid_unknown_fields=False):
    base_name: str | None = msgspec.field(default=None, name="bn")
    base_time: _Number = msgspec.field(default=None, name="bt")
    base_unit: str | None = msgspec.field(default=None, name="bu")
    base_value: _Number = msgspec.field(default=None, name="bv")
    base_sum: _Number = msgspec.field(default=None, name="bs")
    version: int | None = msgspec.field(default=None, name="bver")
    name: str | None = msgspec.field(default=None, name="n")
    unit: str | None = msgspec.field(default=None, name="u")
    value: _Number = msgspec.field(default=None, name="v")
    text: str | None = msgspec.field(default=None, name="vs")
    truth: bool | None = msgspec.field(default=None, name="vb")
    binary: str | None = msgspec.field(default=None, name="vd")
    sum: _Number = msgspec.field(default=None, name="s")
    time: _Number = msgspec.field(default=None, name="t")

    @property
    def only_bases(self) -> bool:
        own = (
            self.name,
            self.value,
            self.text,
            self.truth,
            self.binary,
            self.sum,
            self.time,
        )
        return all(member is None for member in own)


_JSON: Final = msgspec.json.Decoder(list[dict[str, Any]])
_LABELS: Final = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip


@dataclass(slots=True)
class _Base:
    """What records before said for those after them."""

    name: str = ""
    time: float = 0.0
    unit: str = ""
    value: float | None = None
    sum: float | None = None

    def update(self, said: _Record) -> None:
        self.name = self.name if said.base_name is None else said.base_name
        self.time = self.time if said.base_time is None else said.base_time
        self.unit = self.unit if said.base_unit is None else said.base_unit
        self.value = self.value if said.base_value is None else said.base_value
        self.sum = self.sum if said.base_sum is None else said.base_sum


@dataclass(slots=True)
class _Gathered:
    values: dict[str, object] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)


def read_text(topic: str, payload: bytes, received_at: int) -> Heard:
    """Return what a pack in JSON says; see heard.FormatReader.

    Raises:
        Unreadable: it is no pack; says where.
    """
    return _read(topic, payload, read_json(_JSON, payload), received_at)


def read_binary(topic: str, payload: bytes, received_at: int) -> Heard:
    """Return what a pack in CBOR says; see heard.FormatReader.

    Raises:
        Unreadable: it is no pack; says where.
    """
    check_size(payload)
    try:
        said = cbor2.loads(payload, max_depth=MAX_DEPTH)
    except Exception as error:  # what CBOR's tags may raise, its decoder does not bound
        raise Unreadable(f"not CBOR: {error}") from error
    if not isinstance(said, list) or not all(isinstance(record, dict) for record in said):
        raise Unreadable("expected an array of maps")
    records = [{_label(key): value for key, value in record.items()} for record in said]
    return _read(topic, payload, records, received_at)


def _label(key: object) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, int) and key in _LABELS:
        return _LABELS[key]
    raise Unreadable(f"the label {str(key)[:40]} is none of SenML's")


def _read(topic: str, payload: bytes, said: list[dict[str, Any]], received_at: int) -> Heard:
    base = _Base()
    gathered: dict[tuple[str, int], _Gathered] = {}
    for position, members in enumerate(said):
        unknown = next((key for key in members if key.endswith("_")), None)
        if unknown is not None:
            raise Unreadable(f"record {position}: {unknown[:40]!r} must be understood, and is not")
        record = converted(_as_in_json(members, position), _Record)
        if (record.version or 0) > _VERSION:
            raise Unreadable(f"record {position}: version {record.version}, at most {_VERSION} is understood")
        base.update(record)
        if record.only_bases and base.value is None:
            continue
        device, name = _names(topic, base.name, record.name or "")
        at = _instant(base.time + (record.time or 0.0), received_at)
        found = gathered.setdefault((device, at), _Gathered())
        _gather(found, name, base, record, position)
        if len(gathered) > MAX_UPLINKS:
            raise Unreadable(f"more than {MAX_UPLINKS} devices and instants in one pack")
    return Heard(
        uplinks=[
            Uplink(
                device=device,
                raw=payload,
                at=at,
                values=found.values,
                units=found.units,
            )
            for (device, at), found in gathered.items()
        ]
    )


def _as_in_json(members: Mapping[str, Any], position: int) -> dict[str, Any]:
    """Return a record without what CBOR alone can say: bytes, decimal fractions, numbers that are none."""
    found = dict(members)
    for name, value in members.items():
        if isinstance(value, bytes):
            found[name] = value.hex()
        elif isinstance(value, Decimal):
            found[name] = float(value)
        if isinstance(value, (float, Decimal)) and not math.isfinite(value):
            raise Unreadable(f"record {position}: {name[:40]!r} is no number")
    return found


def _gather(found: _Gathered, name: str, base: _Base, said: _Record, position: int) -> None:
    others = [value for value in (said.text, said.truth, said.binary) if value is not None]
    if len(others) + (said.value is not None) > 1:
        raise Unreadable(f"record {position}: more than one value")
    value: object = others[0] if others else _total(base.value, said.value, position)
    total = _total(base.sum, said.sum, position)
    if value is None and total is None:
        raise Unreadable(f"record {position}: neither a value nor a sum")
    if value is not None:
        found.values[name] = value
    if total is not None:
        found.values[f"{name}_sum"] = total
    unit = said.unit or base.unit
    if unit:
        found.units[name] = unit


def _total(base: float | None, own: float | None, position: int) -> float | None:
    """Return the sum of what the base says and the record itself; one that is missing counts 0."""
    return None if base is None and own is None else (base or 0.0) + (own or 0.0)


def _names(topic: str, base: str, own: str) -> tuple[str, str]:
    """Return whose a record is, and what it is called there."""
    full = base + own
    device, name = topic.rpartition("/")[2], full.strip("/")
    found = _DEV_URN.fullmatch(full)
    if found:
        device, name = found[1], found[2] or "value"
    elif base and not base.startswith("/"):
        device, name = base.rstrip("/:._-"), own or "value"
    elif not full.startswith("/") and re.search("[/:]", full):
        device, name = re.split(r"[/:](?=[^/:]*$)", full, maxsplit=1)
    return named(device, "a device"), named(name, "a value")


def _instant(seconds: float, received_at: int) -> int:
    """Return when it was, in microseconds: small numbers count from now."""
    relative = seconds < _RELATIVE_BELOW_S
    found = (received_at if relative else 0) + round(seconds * 1_000_000)
    if not 0 <= found < LAST_INSTANT:
        raise Unreadable(f"the time {seconds} s is beyond any clock")
    return found
