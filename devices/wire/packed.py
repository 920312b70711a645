"""Many byte strings in one, as compiled code reads them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PackedPayloads(Sequence[bytes]):
    """n byte strings that lie in `text`, each with a NUL behind it.

    begins, ends: (n,) int64, where each lies. braces, commas: (n,) int32, how many { and , are in each; of
    one that begins with {, and is one element whatever is in it, 1 and 0 will do.
    """

    text: bytes
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    braces: NDArray[np.int32]
    commas: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.begins)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> PackedPayloads: ...

    def __getitem__(self, index: int | slice) -> bytes | PackedPayloads:
        if isinstance(index, slice):
            return self.take(index)
        return self.text[self.begins[index] : self.ends[index]]

    def __iter__(self) -> Iterator[bytes]:
        text = self.text
        return (text[a:b] for a, b in zip(self.begins.tolist(), self.ends.tolist(), strict=True))

    def take(self, rows: NDArray[np.integer] | slice) -> PackedPayloads:
        """Return some of them; the bytes stay where they are."""
        return PackedPayloads(
            self.text, self.begins[rows], self.ends[rows], self.braces[rows], self.commas[rows]
        )

    def begin_with(self, byte: bytes) -> NDArray[np.bool_]:
        """Tell which begin with a byte, (n,)."""
        first: NDArray[np.bool_] = np.frombuffer(self.text, dtype=np.uint8)[self.begins] == ord(byte)
        return first


def pack(payloads: Sequence[bytes]) -> PackedPayloads:
    """Return byte strings packed; what is packed already as it is."""
    if isinstance(payloads, PackedPayloads):
        return payloads
    n = len(payloads)
    ends = np.cumsum(np.fromiter(map(len, payloads), dtype=np.int64, count=n) + 1) - 1
    begins = np.zeros(n, dtype=np.int64)
    begins[1:] = ends[:-1] + 1
    found = PackedPayloads(
        b"\0".join((*payloads, b"")) or b"\0",
        begins,
        ends,
        braces=np.ones(n, dtype=np.int32),
        commas=np.zeros(n, dtype=np.int32),
    )
    for i in np.flatnonzero(~found.begin_with(b"{")).tolist():
        found.braces[i], found.commas[i] = payloads[i].count(b"{"), payloads[i].count(b",")
    return found


def joined(parts: Sequence[PackedPayloads]) -> PackedPayloads:
    """Return several one behind the other; each of theirs must lie in the order of its text."""
    if len(parts) == 1:
        return parts[0]
    texts, begins, ends = [], [], []
    before = 0
    for part in parts:
        start, stop = (int(part.begins[0]), int(part.ends[-1]) + 1) if len(part) else (0, 0)
        texts.append(part.text[start:stop])
        begins.append(part.begins + (before - start))
        ends.append(part.ends + (before - start))
        before += stop - start
    return PackedPayloads(
        b"".join(texts) or b"\0",
        np.concatenate(begins),
        np.concatenate(ends),
        np.concatenate([part.braces for part in parts]),
        np.concatenate([part.commas for part in parts]),
    )
