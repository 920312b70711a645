"""What the kernel needs to know of a kind, the arrays that it works on, and what they become. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import Kind, Measurement, ValueType
from devices.wire.compiled.constants import BOOLEAN, COUNTER, EXACT, HASH_SHIFT, MEMBERS, NUMBER, TEXT, TS
from devices.wire.compiled.scan import Scan
from devices.wire.decoded import Decoded
from devices.wire.raw import KEY as RAW

SMALLEST = 12
"""Bytes of an element for which there is a row: an array full of smaller ones is left alone."""
_TYPES = {ValueType.NUMBER: NUMBER, ValueType.BOOLEAN: BOOLEAN, ValueType.TEXT: TEXT}
_KEY_PLACES, _TEXT_PLACES = 256, 4_096
_WORD = 2**64

# One secret for all kinds, new in every process: nobody outside can tell which keys or texts collide.
_HASH = (secrets.randbits(64), secrets.randbits(64) | 1)


class ColumnScanner:
    """Scans payloads of one kind into columns."""

    def __init__(self, kind: Kind) -> None:
        numbers = [m for m in kind.measurements if m.type is not ValueType.TEXT]
        texts = [m for m in kind.measurements if m.type is ValueType.TEXT]
        self._numbers, self._texts = [m.name for m in numbers], [m.name for m in texts]
        self._order = [m.name for m in kind.measurements]
        keys = [("ts", TS, 0), ("boot", COUNTER, 0), ("seq", COUNTER, 1), (RAW, EXACT, 0)]
        keys += _slots(numbers) + _slots(texts)
        names = [name.encode() for name, _, _ in keys]
        self._keys = (
            np.frombuffer(b"".join(names), dtype=np.uint8),
            np.array([0, *accumulate(map(len, names))], dtype=np.int64),
            _table(names),
            np.array([type_ for _, type_, _ in keys], dtype=np.int64),
            np.array([slot for _, _, slot in keys], dtype=np.int64),
            np.array(_HASH, dtype=np.uint64),
        )

    def scanned(self, scan: Scan, payloads: Sequence[bytes]) -> tuple[Decoded, NDArray[np.int32]]:
        """Return the rows of what is certain, and which payloads are left to the exact path."""
        n = len(payloads)
        text = b"\0".join(payloads) + b"\0"
        starts = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, payloads), dtype=np.int64, count=n) + 1, out=starts[1:])
        rows = min(text.count(b"{"), n + len(text) // SMALLEST)
        numbers = np.empty((len(self._numbers), rows))
        codes = np.empty((len(self._texts), rows), dtype=np.int32)
        counters = np.empty((2, rows), dtype=np.int64)
        instant = np.empty(rows, dtype=np.int64)
        extra = np.empty((2, rows), dtype=np.int64)
        said = np.empty(len(text), dtype=np.uint8)
        texts = np.empty((2, rows * len(self._texts)), dtype=np.int64)
        used = np.zeros(3, dtype=np.int64)
        message, position = np.empty(rows, dtype=np.int32), np.empty(rows, dtype=np.int32)
        flagged = np.empty(n, dtype=np.uint8)
        scan(
            np.frombuffer(text, dtype=np.uint8), starts, *self._keys,
            numbers, codes, counters, instant, extra, said, texts,
            np.full(_TEXT_PLACES, -1, dtype=np.int32), np.full(len(self._keys[3]) + 1, -1, dtype=np.int32),
            np.empty((4, MEMBERS), dtype=np.int64), used, message, position, flagged,
        )  # fmt: skip
        rows, distinct, kept = used.tolist()
        words = _words(text, texts[:, :distinct].tolist())
        values = dict(zip(self._numbers, numbers[:, :rows], strict=True))
        values |= {name: words[codes[k, :rows]] for k, name in enumerate(self._texts)}
        decoded = Decoded(
            message=message[:rows],
            element=position[:rows],
            instant=instant[:rows],
            boot=counters[0, :rows],
            seq=counters[1, :rows],
            values={name: values[name] for name in self._order},
            extra=_extra(extra[:, :rows], said[:kept].tobytes()),
        )
        return decoded, np.flatnonzero(flagged).astype(np.int32)


def _slots(measurements: Sequence[Measurement]) -> list[tuple[str, int, int]]:
    return [(m.name, _TYPES[m.type], slot) for slot, m in enumerate(measurements)]


def _table(names: Sequence[bytes]) -> NDArray[np.int32]:
    """Return keys by hash, as the kernel looks for them."""
    table = np.full(_KEY_PLACES, -1, dtype=np.int32)
    for k, name in enumerate(names):
        h, factor = _HASH
        for c in name:
            h = (h ^ c) * factor % _WORD
        place = (h >> HASH_SHIFT) % _KEY_PLACES
        while table[place] >= 0:
            place = (place + 1) % _KEY_PLACES
        table[place] = k
    return table


def _words(text: bytes, spans: Sequence[Sequence[int]]) -> NDArray[np.object_]:
    """Return the distinct texts, and None behind them: the code of no text is -1."""
    begins, lengths = spans
    words = np.full(len(begins) + 1, None, dtype=object)
    words[:-1] = [text[a : a + n].decode() for a, n in zip(begins, lengths, strict=True)]
    return words


def _extra(spans: NDArray[np.int64], said: bytes) -> NDArray[np.object_]:
    extra = np.full(spans.shape[1], None, dtype=object)
    rows = np.flatnonzero(spans[0] < spans[1])
    for row, a, b in zip(rows.tolist(), *spans[:, rows].tolist(), strict=True):
        extra[row] = said[a:b]
    return extra
