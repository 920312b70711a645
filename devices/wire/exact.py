"""Payloads of one kind to columns, exactly: what the compiled path is compared with, and leaves to it.

Each payload is decoded alone, by one typed decoder generated from the kind. Joining payloads into one text
is no faster (docs/adr/0009) and a crafted payload could close its neighbours' brackets. A message that the
strict decoder refuses is decoded by devices.wire.elements. Objects become columns a few hundred at a time,
while they are in the processor's caches: that halves the cost of a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.columns import MISSING
from devices.kinds.kind import TEXT_LIMIT, Kind, Measurement, ValueType
from devices.wire import elements, instants
from devices.wire.decoded import Decoded, joined
from devices.wire.elements import LONE, MAX_ELEMENTS, MAX_PAYLOAD
from devices.wire.raw import KEY as RAW
from devices.wire.rejected import Reason, Rejected

PART = 250
"""Payloads that become columns at once."""

_Counter = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None
_TYPES: dict[ValueType, Any] = {
    ValueType.NUMBER: float | None,
    ValueType.BOOLEAN: bool | None,
    ValueType.TEXT: Annotated[str, msgspec.Meta(max_length=TEXT_LIMIT)] | None,
}


@dataclass(slots=True)
class _Rows:
    """Elements while they are gathered, one entry a row."""

    structs: list[Any]
    message: list[int]
    element: list[int]
    extra: dict[int, bytes]

    def lone(self, messages: range, structs: Sequence[Any]) -> None:
        self.structs += structs
        self.message += messages
        self.element += [LONE] * len(structs)

    def array(self, message: int, structs: Sequence[Any]) -> None:
        self.structs += structs
        self.message += [message] * len(structs)
        self.element += range(len(structs))

    def extend(self, message: int, good: Sequence[elements.Good]) -> None:
        for element, struct, extra in good:
            if extra is not None:
                self.extra[len(self.structs)] = extra
            self.structs.append(struct)
            self.message.append(message)
            self.element.append(element)


_Fault = tuple[str, Reason, str]
"""Which member of an element is wrong, why, and what people read of it."""


class _Refused:
    """Stands for a payload that the strict decoder does not take."""


_REFUSED = _Refused()
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class ExactDecoder:
    """Decodes payloads of one kind, any at all."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        fields: list[tuple[str, Any, Any]] = [
            ("ts", int | float | str | None, None),
            ("boot", _Counter, None),
            ("seq", _Counter, None),
            *((m.name, _TYPES[m.type], None) for m in kind.measurements),
        ]
        strict = msgspec.defstruct(kind.name, fields, forbid_unknown_fields=True, gc=False)
        lenient = msgspec.defstruct(kind.name, fields, gc=False)
        self._strict = msgspec.json.Decoder(strict | list[strict])  # type: ignore[valid-type]
        self._lenient = elements.ElementDecoder(lenient, frozenset((RAW, *(name for name, _, _ in fields))))

    def decode(self, payloads: Sequence[bytes]) -> tuple[Decoded, list[Rejected]]:
        """Decode a batch of payloads.

        Returns:
            Everything that can be stored, and a Rejected for each element or message that cannot, by message.
        """
        rejected: list[Rejected] = []
        faults: dict[int, _Fault] = {}
        parts: list[Decoded] = []
        rows = 0
        for first in range(0, max(len(payloads), 1), PART):
            part, wrong = self._decode_part(payloads[first : first + PART], first, rejected)
            faults |= {rows + i: fault for i, fault in wrong.items()}
            parts.append(part)
            rows += len(part)
        decoded = joined(parts) if len(parts) > 1 else parts[0]
        decoded = self._without(decoded, payloads, faults, rejected)
        # Whatever messages came with: those of one are in one part, and in the same order.
        rejected.sort(key=lambda r: r.message)
        return decoded, rejected

    def _decode_part(
        self, payloads: Sequence[bytes], first: int, rejected: list[Rejected]
    ) -> tuple[Decoded, dict[int, _Fault]]:
        """Return the elements of some payloads, and what is wrong by row; `first`: index of the first one."""
        rows = self._gather(payloads, first, rejected)
        instant, bad_times = instants.parse_all([s.ts for s in rows.structs])
        decoded = Decoded(
            message=np.array(rows.message, dtype=np.int32),
            element=np.array(rows.element, dtype=np.int32),
            instant=instant,
            boot=_counters([s.boot for s in rows.structs]),
            seq=_counters([s.seq for s in rows.structs]),
            values={m.name: _column(m, rows.structs) for m in self.kind.measurements},
            extra=_extra(rows),
        )
        faults: dict[int, _Fault] = {i: ("ts", Reason.BAD_TIME, why) for i, why in bad_times.items()}
        return decoded, faults | self._unstorable_texts(decoded)

    def _gather(self, payloads: Sequence[bytes], first: int, rejected: list[Rejected]) -> _Rows:
        decoded = self._decode_all(payloads)
        kinds_of_payload = set(map(type, decoded))
        if list not in kinds_of_payload and _Refused not in kinds_of_payload:
            n = len(decoded)
            return _Rows(decoded, list(range(first, first + n)), [LONE] * n, {})
        rows = _Rows([], [], [], {})
        special = [i for i, found in enumerate(decoded) if type(found) is list or found is _REFUSED]
        start = 0
        for place in special:
            # Lone elements, as most are, are added by runs and not one by one.
            rows.lone(range(first + start, first + place), decoded[start:place])
            found, message = decoded[place], first + place
            if found is _REFUSED:
                rows.extend(message, self._lenient.decode(message, payloads[place], rejected))
            else:
                rows.array(message, found)
            start = place + 1
        rows.lone(range(first + start, first + len(decoded)), decoded[start:])
        return rows

    def _decode_all(self, payloads: Sequence[bytes]) -> list[Any]:
        """Return an element, a list of elements or _REFUSED for each payload."""
        small = payloads
        if max(map(len, payloads), default=0) > MAX_PAYLOAD:
            small = [payload if len(payload) <= MAX_PAYLOAD else b"" for payload in payloads]
        decode, decoded, remaining = self._strict.decode, [], iter(small)
        while True:
            try:
                # One try block around many payloads: entering one for each payload is slow.
                for payload in remaining:
                    decoded.append(decode(payload))  # noqa: PERF401 - what was decoded must survive a failure
            except _UNDECODABLE:
                decoded.append(_REFUSED)
            else:
                break
        if list in set(map(type, decoded)):
            return [d if type(d) is not list or 0 < len(d) <= MAX_ELEMENTS else _REFUSED for d in decoded]
        return decoded

    def _unstorable_texts(self, decoded: Decoded) -> dict[int, _Fault]:
        # PostgreSQL cannot store NUL in text.
        return {
            i: (m.name, Reason.BAD_VALUE, "the character U+0000 cannot be stored")
            for m in self.kind.measurements
            if m.type is ValueType.TEXT
            for i, text in enumerate(decoded.values[m.name])
            if text is not None and "\0" in text
        }

    def _without(
        self,
        decoded: Decoded,
        payloads: Sequence[bytes],
        faults: dict[int, _Fault],
        rejected: list[Rejected],
    ) -> Decoded:
        """Return the rows that have no fault, adding a rejection for each that has."""
        if not faults:
            return decoded
        for i, (name, reason, detail) in faults.items():
            message, element = int(decoded.message[i]), int(decoded.element[i])
            rejected.append(elements.rejection(message, payloads[message], element, reason, detail, name))
        keep = np.ones(len(decoded), dtype=np.bool_)
        keep[list(faults)] = False
        return decoded.take(keep)


def _counters(values: list[int | None]) -> NDArray[np.int64]:
    if values.count(None) == len(values):
        return np.full(len(values), MISSING, dtype=np.int64)
    return np.array([MISSING if v is None else v for v in values], dtype=np.int64)


def _column(measurement: Measurement, structs: list[Any]) -> NDArray[Any]:
    values = list(map(attrgetter(measurement.name), structs))
    if measurement.type is ValueType.TEXT:
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    # Of most measurements either all readings of a batch have a value or none: counting None tells which, and
    # a list without None converts four times faster than one that may hold it.
    if values.count(None) == len(values):
        return np.full(len(values), np.nan)
    try:
        return np.fromiter(values, dtype=np.float64, count=len(values))
    except TypeError:
        return np.array(values, dtype=np.float64)


def _extra(rows: _Rows) -> NDArray[np.object_]:
    extra = np.full(len(rows.structs), None, dtype=object)
    for i, raw in rows.extra.items():
        extra[i] = raw
    return extra
