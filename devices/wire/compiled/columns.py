"""What the kernel makes of payloads of one kind, as columns. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from devices.compiled.part import Function
from devices.kinds.kind import Kind, Measurement, ValueType
from devices.wire.compiled.constants import BOOLEAN, COUNTER, EXACT, NUMBER, TEXT, TS
from devices.wire.compiled.scanner import Key, ScannedRows, Scanner
from devices.wire.decoded import Decoded
from devices.wire.raw import KEY as RAW

_TYPES = {ValueType.NUMBER: NUMBER, ValueType.BOOLEAN: BOOLEAN, ValueType.TEXT: TEXT}


class ColumnScanner:
    """Scans payloads of one kind into columns."""

    def __init__(self, kind: Kind) -> None:
        numbers = [m for m in kind.measurements if m.type is not ValueType.TEXT]
        texts = [m for m in kind.measurements if m.type is ValueType.TEXT]
        self._numbers, self._texts = [m.name for m in numbers], [m.name for m in texts]
        self._order = [m.name for m in kind.measurements]
        keys: list[Key] = [("ts", TS, 0), ("boot", COUNTER, 0), ("seq", COUNTER, 1), (RAW, EXACT, 0)]
        self._scanner = Scanner([*keys, *_keys(numbers), *_keys(texts)])

    def scanned(self, scan: Function, payloads: Sequence[bytes]) -> tuple[Decoded, NDArray[np.int32]]:
        """Return the rows of what is certain, and which payloads are left to the exact path."""
        rows = self._scanner.rows(scan, payloads)
        values = dict(zip(self._numbers, rows.numbers, strict=True))
        values |= {name: rows.words[codes] for name, codes in zip(self._texts, rows.codes, strict=True)}
        decoded = Decoded(
            message=rows.message,
            element=rows.position,
            instant=rows.instant,
            boot=rows.counters[0],
            seq=rows.counters[1],
            values={name: values[name] for name in self._order},
            extra=_extra(rows),
        )
        return decoded, rows.left


def _keys(measurements: Sequence[Measurement]) -> list[Key]:
    return [(m.name, _TYPES[m.type], slot) for slot, m in enumerate(measurements)]


def _extra(rows: ScannedRows) -> NDArray[np.object_]:
    extra = np.full(len(rows.message), None, dtype=object)
    having = np.flatnonzero(rows.unknown[0] < rows.unknown[1])
    for row, a, b in zip(having.tolist(), *rows.unknown[:, having].tolist(), strict=True):
        extra[row] = rows.said[a:b]
    return extra
