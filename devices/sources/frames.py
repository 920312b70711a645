"""Which frames of a source were heard before: a copy that comes later, by another way, is the same reading.

Times are microseconds since 1970-01-01Z. A frame with a counter is on its way until it is settled, or is not
and may come again. What says no instant is known by its bytes before it is sent: until that is settled a
repeat has the same instant, however late it comes. Must not know where frames are stored.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from devices.sources.states import MOST, Frame, KnownFrame
from devices.wire.topics import DEVICE

UNDATED = -1
"""Stands for the counter of what has none."""


def frame_of(device: str, counter: int, content: bytes) -> Frame:
    """Return what tells a frame of a device from every other; `device` may be any text."""
    if not DEVICE.fullmatch(device):
        device, content = "", device.encode(errors="surrogatepass") + b" " + content
    return Frame(device, counter, hashlib.blake2b(content, digest_size=16).digest())


class Frames:
    """The frames of one source, the oldest forgotten when there are too many."""

    def __init__(self, known: Mapping[Frame, KnownFrame], *, window: int) -> None:
        """Begin with what is stored; window: how long a copy may take, in microseconds."""
        self._known = OrderedDict(sorted(known.items(), key=lambda one: one[1].at))
        self._window = window
        self._on_their_way: dict[Frame, tuple[int, asyncio.Event]] = {}

    def is_copy(self, frame: Frame, at: int) -> bool:
        """Tell whether the frame that this one repeats is settled."""
        known = self._known.get(frame)
        return known is not None and known.settled_at is not None and abs(at - known.at) <= self._window

    def on_its_way(self, frame: Frame, at: int) -> asyncio.Event | None:
        """Return what is set once the frame that this one repeats is settled or forgotten; None: none is."""
        began, ended = self._on_their_way.get(frame, (0, None))
        return ended if abs(at - began) <= self._window else None

    def begin(self, frame: Frame, at: int, ended: asyncio.Event) -> None:
        """Know that a frame is on its way; whoever says so ends it."""
        self._on_their_way[frame] = at, ended

    def end(self, frames: Iterable[Frame], ended: asyncio.Event) -> None:
        """Know that frames are on their way no more; those that were not settled may come again."""
        for frame in frames:
            if self._on_their_way.get(frame, (0, None))[1] is ended:
                del self._on_their_way[frame]
        ended.set()

    def end_all(self) -> None:
        """Know that nothing is on its way any more."""
        while self._on_their_way:
            self._on_their_way.popitem()[1][1].set()

    def instant(self, frame: Frame, now: int) -> int | None:
        """Return the instant that stood in for a repeat's; None: it is news."""
        known = self._known.get(frame)
        if known is None or (known.settled_at is not None and now - known.settled_at > self._window):
            return None
        return known.at

    def date(self, frame: Frame, at: int) -> None:
        """Know the instant that stands in for a frame's, which is not settled yet."""
        self._know(frame, KnownFrame(at, None))

    def is_newest(self, frame: Frame, at: int) -> bool:
        """Tell whether an instant is the last one that stood in for a frame's."""
        known = self._known.get(frame)
        return known is not None and known.at == at

    def settle(self, frame: Frame, at: int, now: int) -> None:
        """Know that everything which a frame says is committed."""
        self._know(frame, KnownFrame(at, now))

    def _know(self, frame: Frame, known: KnownFrame) -> None:
        self._known[frame] = known
        while len(self._known) > MOST:
            self._known.popitem(last=False)
