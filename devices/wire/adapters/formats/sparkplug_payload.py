"""Payloads of Sparkplug B: metrics with names or aliases, types and instants. Pure.

Numbers of fields and types: the specification's schema (Eclipse Sparkplug 3.0). What is no lone number,
truth or text (data sets, files, templates, arrays) has no value here: it is told as `UNREAD`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from devices.wire.adapters.formats.bounded import LAST_INSTANT
from devices.wire.adapters.formats.protobuf import messages, parsed
from devices.wire.adapters.uplink import Unreadable

_MESSAGES: Final = messages(
    "nabd.sparkplug",
    "proto2",
    {
        "Metric": {
            "name": (1, "string"),
            "alias": (2, "uint64"),
            "timestamp": (3, "uint64"),
            "datatype": (4, "uint32"),
            "is_transient": (6, "bool"),
            "is_null": (7, "bool"),
            "int_value": (10, "?uint32"),
            "long_value": (11, "?uint64"),
            "float_value": (12, "?float"),
            "double_value": (13, "?double"),
            "boolean_value": (14, "?bool"),
            "string_value": (15, "?string"),
        },
        "Payload": {"timestamp": (1, "uint64"), "metrics": (2, "[]Metric"), "seq": (3, "uint64")},
    },
)

_SIGNED_BITS: Final = {1: 8, 2: 16, 3: 32, 4: 64}
"""Int8 to Int64: they travel as unsigned numbers, in two's complement."""
_READ_TYPES: Final = frozenset({0, *range(1, 16)})
"""Numbers, Boolean, String, DateTime, Text and UUID; 0: not said."""


class UnreadValue:
    """Stands for the value of a metric of a type that is not read."""


UNREAD: Final = UnreadValue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric as it came: by its name, by the alias that a birth gave it, or both.

    at: microseconds since 1970 UTC; None: not said.
    datatype: 0 where the message leaves it to the birth.
    """

    name: str
    alias: int | None
    at: int | None
    datatype: int
    transient: bool
    said: Any

    def value(self, datatype: int) -> object:
        """Return the value as its type (the birth's, where the message says none) means it.

        Raises:
            Unreadable: no such number.
        """
        if datatype not in _READ_TYPES:
            return UNREAD
        which = self.said.WhichOneof("value")
        if self.said.is_null or which is None:
            return None if self.said.is_null else UNREAD
        value = getattr(self.said, which)
        if isinstance(value, float) and not math.isfinite(value):
            raise Unreadable(f"the metric {self.name or self.alias} is {value}")
        bits = _SIGNED_BITS.get(datatype)
        if bits is not None and isinstance(value, int):
            value &= 2**bits - 1
            return value - 2**bits if value >= 2 ** (bits - 1) else value
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A message's metrics in the order sent; `seq` is 0 to 255, None where a death says none."""

    at: int | None
    seq: int | None
    metrics: tuple[Metric, ...]


def read_payload(payload: bytes) -> Payload:
    """Return what a payload holds.

    Raises:
        Unreadable: cut off, of another shape, or with a number that cannot be.
    """
    # A death without metrics and time may be no bytes at all.
    said: Any = parsed(_MESSAGES["Payload"], payload) if payload else _MESSAGES["Payload"]()
    if said.HasField("seq") and said.seq > 255:
        raise Unreadable(f"the sequence number {said.seq} is none: 0 to 255")
    at = _instant(said.timestamp) if said.HasField("timestamp") else None
    return Payload(
        at=at,
        seq=said.seq if said.HasField("seq") else None,
        metrics=tuple(
            Metric(
                name=metric.name,
                alias=metric.alias if metric.HasField("alias") else None,
                at=_instant(metric.timestamp) if metric.HasField("timestamp") else at,
                datatype=metric.datatype,
                transient=metric.is_transient,
                said=metric,
            )
            for metric in said.metrics
        ),
    )


def _instant(milliseconds: int) -> int:
    if milliseconds * 1000 >= LAST_INSTANT:
        raise Unreadable(f"the time {milliseconds} ms is beyond any clock")
    return milliseconds * 1000


def rebirth_request() -> bytes:
    """Return the payload that asks an edge node to be born again, for its topic NCMD."""
    request: Any = _MESSAGES["Payload"]()
    request.metrics.add(name="Node Control/Rebirth", datatype=11, boolean_value=True)
    return bytes(request.SerializeToString())
