"""Which frames of a source were heard before: a copy that comes later, by another way, is the same reading.

Pure; times are microseconds since 1970-01-01Z. Frames with a counter are known once they are settled. What
neither counts nor says when it was observed is known by its bytes before it is sent, so that a repeat after a
kill has the same instant.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from devices.sources.states import Frame

MOST = 100_000
UNDATED = -1
"""Stands for the counter of what has none."""


def frame_of(device: str, counter: int, content: bytes) -> Frame:
    """Return what tells a frame of a device from every other."""
    return Frame(device, counter, hashlib.blake2b(content, digest_size=16).digest())


class Frames:
    """The frames of one source, the oldest forgotten when there are too many."""

    def __init__(self, known: dict[Frame, int], *, window: int) -> None:
        """Begin with what is stored; window: how long a copy may take, in microseconds."""
        self._known = OrderedDict(sorted(known.items(), key=lambda one: one[1]))
        self._window = window

    def seen(self, frame: Frame, at: int) -> int | None:
        """Return the instant of the frame that this one is a copy of; None: it is news."""
        known = self._known.get(frame)
        return known if known is not None and abs(at - known) <= self._window else None

    def add(self, frame: Frame, at: int) -> None:
        """Know a frame from now on."""
        self._known[frame] = at
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    def at(self, frame: Frame) -> int | None:
        """Return the instant of a frame that is known."""
        return self._known.get(frame)

    def forget(self, frame: Frame) -> None:
        """Know a frame no more: it was refused, and may come again."""
        self._known.pop(frame, None)
