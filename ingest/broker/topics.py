"""Topics that a session has heard, numbered: each is resolved once, not with every message. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
from numpy.typing import NDArray

from devices.wire.compiled.constants import TOPIC_LIMIT

MOST = 200_000
"""Most topics of a table: clients may publish on any. A session goes on with a new one."""
UNNUMBERED = -1
_PLACES = 2**19
_BYTES = 64 * MOST

# New in every process: nobody outside can tell which topics collide.
HASH = np.array((secrets.randbits(64), secrets.randbits(64) | 1), dtype=np.uint64)


class TopicTable:
    """Topics by number. places, at, text: those that the kernel has numbered, as it wants them.

    One that comes both ways may have two numbers.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        # Memory is taken as it is written to.
        self.at = np.empty((2, MOST), dtype=np.int64)
        self.text = np.empty(_BYTES, dtype=np.uint8)
        self.places: NDArray[np.int32] = np.full(_PLACES, -1, dtype=np.int32)
        self.topic_bytes = 0

    @property
    def full(self) -> bool:
        """Tell whether the next topic needs a new table."""
        return len(self.names) >= MOST or self.topic_bytes > _BYTES - TOPIC_LIMIT

    def number(self, topic: str) -> int:
        """Return the number of a topic; UNNUMBERED of one too long to be right, or too many."""
        number = self._numbers.get(topic)
        if number is None:
            if len(topic) > TOPIC_LIMIT or self.full:
                return UNNUMBERED
            number = self._numbers[topic] = len(self.names)
            self.names.append(topic)
        return number

    def numbered(self, count: int, topic_bytes: int) -> None:
        """Take note that the kernel has numbered topics: how many there are now, and bytes of them."""
        begin = len(self.names)
        if count > begin:
            said = self.text[self.topic_bytes : topic_bytes].tobytes().decode("ascii")
            ends = np.cumsum(self.at[1, begin:count]).tolist()
            self.names += [said[a:b] for a, b in zip([0, *ends], ends, strict=False)]
            self.topic_bytes = topic_bytes


@dataclass(frozen=True, slots=True, eq=False)
class Topics(Sequence[str]):
    """The topics of n messages.

    number: (n,) int32, which of `names`; UNNUMBERED where `unnumbered` has it, by message.
    """

    names: Sequence[str]
    number: NDArray[np.int32]
    unnumbered: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.number)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Topics: ...

    def __getitem__(self, index: int | slice) -> str | Topics:
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            some = {i - start: topic for i, topic in self.unnumbered.items() if start <= i < stop}
            return Topics(self.names, self.number[index], some)
        number = self.number[index]
        return self.names[number] if number >= 0 else self.unnumbered[range(len(self))[index]]


def joined(parts: Sequence[Topics]) -> Topics:
    """Return topics of one table one behind the other."""
    if len(parts) == 1:
        return parts[0]
    unnumbered: dict[int, str] = {}
    before = 0
    for part in parts:
        unnumbered |= {before + i: topic for i, topic in part.unnumbered.items()}
        before += len(part)
    return Topics(parts[0].names, np.concatenate([part.number for part in parts]), unnumbered)
