"""Gives the kernel what it needs to know of the keys of an element, and the arrays that it works on. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.compiled.part import Function
from devices.wire.compiled.constants import BOOLEAN, HASH_SHIFT, MEMBERS, NUMBER, TEXT
from devices.wire.packed import pack

SMALLEST = 12
"""Bytes of an element for which there is a row: an array full of smaller ones is left alone."""
_KEY_PLACES, _TEXT_PLACES = 256, 4_096
_WORD = 2**64

# One secret for all, new in every process: nobody outside can tell which keys or texts collide.
_HASH = (secrets.randbits(64), secrets.randbits(64) | 1)

Key = tuple[str, int, int]
"""Name, what is done with its value (devices.wire.compiled.constants), and the column for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedRows:
    """n elements that are certain, of payloads that lie in `text`.

    message, position, instant (n,), counters (2, n), numbers (m, n): as the kernel fills them. codes: (k, n)
    which of `words`, the last of which is None. unknown: (2, n) where in `said` a row's unknown keys lie.
    lies: (2, n) where in `text` an element does. left: payloads that are left to the exact path.
    """

    text: bytes
    message: NDArray[np.int32]
    position: NDArray[np.int32]
    instant: NDArray[np.int64]
    counters: NDArray[np.int64]
    numbers: NDArray[np.float64]
    codes: NDArray[np.int32]
    words: NDArray[np.object_]
    unknown: NDArray[np.int64]
    said: bytes
    lies: NDArray[np.int64]
    left: NDArray[np.int32]


class Scanner:
    """Scans payloads whose elements have certain keys."""

    def __init__(self, keys: Sequence[Key]) -> None:
        names = [name.encode() for name, _, _ in keys]
        self._numbers = sum(type_ in (NUMBER, BOOLEAN) for _, type_, _ in keys)
        self._texts = sum(type_ == TEXT for _, type_, _ in keys)
        self._keys = (
            np.frombuffer(b"".join(names), dtype=np.uint8),
            np.array([0, *accumulate(map(len, names))], dtype=np.int64),
            _table(names),
            np.array([type_ for _, type_, _ in keys], dtype=np.int64),
            np.array([slot for _, _, slot in keys], dtype=np.int64),
            np.array(_HASH, dtype=np.uint64),
        )

    def rows(self, scan: Function, payloads: Sequence[bytes]) -> ScannedRows:
        """Return the elements of every payload that is certain, in order."""
        packed = pack(payloads)
        n, text = len(packed), packed.text
        spans = np.stack((packed.begins, packed.ends))
        size = int((packed.ends - packed.begins).sum()) + n
        rows = min(int(packed.braces.sum()), n + size // SMALLEST)
        numbers, codes = np.empty((self._numbers, rows)), np.empty((self._texts, rows), dtype=np.int32)
        counters, extra = np.empty((2, rows), dtype=np.int64), np.empty((4, rows), dtype=np.int64)
        instant, said = np.empty(rows, dtype=np.int64), np.empty(size, dtype=np.uint8)
        texts, used = np.empty((2, rows * self._texts), dtype=np.int64), np.zeros(3, dtype=np.int64)
        message, position = np.empty(rows, dtype=np.int32), np.empty(rows, dtype=np.int32)
        flagged = np.empty(n, dtype=np.uint8)
        scan(
            np.frombuffer(text, dtype=np.uint8), spans, *self._keys,
            numbers, codes, counters, instant, extra, said, texts,
            np.full(_TEXT_PLACES, -1, dtype=np.int32), np.full(len(self._keys[3]) + 1, -1, dtype=np.int32),
            np.empty((4, MEMBERS), dtype=np.int64), used, message, position, flagged,
        )  # fmt: skip
        rows, distinct, kept = used.tolist()
        return ScannedRows(
            text=text,
            message=message[:rows],
            position=position[:rows],
            instant=instant[:rows],
            counters=counters[:, :rows],
            numbers=numbers[:, :rows],
            codes=codes[:, :rows],
            words=_words(text, texts[:, :distinct].tolist()),
            unknown=extra[:2, :rows],
            said=said[:kept].tobytes(),
            lies=extra[2:, :rows],
            left=np.flatnonzero(flagged).astype(np.int32),
        )


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


def _words(text: bytes, spans: Sequence[Sequence[int]]) -> NDArray[Any]:
    """Return the distinct texts, and None behind them: the code of no text is -1."""
    begins, lengths = spans
    words = np.full(len(begins) + 1, None, dtype=object)
    words[:-1] = [text[a : a + n].decode() for a, n in zip(begins, lengths, strict=True)]
    return words
