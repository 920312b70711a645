"""What bytes of a device mean: fixed layouts, channels with tags, blocks by flags. Pure.

Of several layouts the first one that fits the port, the leading bytes and the size is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from devices.wire.adapters.profile.fields import Order, PayloadField
from devices.wire.adapters.profile.result import Remark, shown


class _Unread(ValueError):
    """A payload cannot be read from a byte on; the text says why."""

    def __init__(self, payload: bytes, at: int, why: str) -> None:
        super().__init__(f"{why}: what follows cannot be told apart")
        self.where, self.rest = f"payload, byte {at} on", payload[at:]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadLayout:
    """One layout of a payload.

    says: what a message is that holds no measurement, such as "settings". ports: empty for every one. starts:
    leading bytes, None for any. size: all bytes of the payload, None for any number.
    fields: of the whole payload. first: where channels, blocks or entries begin.
    tag: bytes of the tag before each channel, 0 without channels; `channels` by tag. lists: by tag, the name
    of the list whose next entry a channel is.
    flags_at, flags_size: where the bits stand that say which blocks follow, None without; `blocks` by bit.
    repeat: the name of a list whose entries fill the rest, empty without; then `entry` are the first fields
    of each, and flags_at counts from its beginning.
    """

    says: str = ""
    ports: frozenset[int] = frozenset()
    starts: tuple[int | None, ...] = ()
    size: int | None = None
    order: Order = "big"
    fields: tuple[PayloadField, ...] = ()
    first: int = 0
    tag: int = 0
    channels: Mapping[bytes, tuple[PayloadField, ...]]
    lists: Mapping[bytes, str] = field(default_factory=dict)
    flags_at: int | None = None
    flags_size: int = 2
    blocks: Mapping[int, tuple[PayloadField, ...]]
    repeat: str = ""
    entry: tuple[PayloadField, ...] = ()

    def fits(self, payload: bytes, port: int | None) -> bool:
        """Tell whether the payload is laid out like this; an unknown port excludes nothing."""
        return (
            (not self.ports or port is None or port in self.ports)
            and (self.size is None or len(payload) == self.size)
            and len(payload) >= len(self.starts)
            and all(s is None or s == b for s, b in zip(self.starts, payload, strict=False))
        )

    def read(self, payload: bytes, notes: list[Remark]) -> dict[str, object]:
        """Return values by name; what cannot be read is added to `notes`."""
        values: dict[str, object] = {}
        try:
            _fields(self.fields, payload, 0, values)
            if self.repeat:
                self._entries(payload, values)
            elif self.tag:
                self._channels(payload, values)
            elif self.flags_at is not None:
                self._blocks(payload, 0, self.first, values)
        except _Unread as unread:
            notes.append(Remark(where=unread.where, value=unread.rest, why=str(unread)))
        return values

    def _channels(self, payload: bytes, values: dict[str, object]) -> None:
        at = self.first
        while at < len(payload):
            tag = payload[at : at + self.tag]
            fields = self.channels.get(tag)
            if fields is None:
                raise _Unread(payload, at, f"no channel {tag.hex(' ')} is declared")
            entry: dict[str, object] = {}
            into = entry if tag in self.lists else values
            at = _fields(fields, payload, at + self.tag, into)
            if tag in self.lists:
                entries = values.setdefault(self.lists[tag], [])
                if isinstance(entries, list):
                    entries.append(entry)

    def _entries(self, payload: bytes, values: dict[str, object]) -> None:
        entries: list[object] = []
        values[self.repeat] = entries
        at = self.first
        while at < len(payload):
            entry: dict[str, object] = {}
            start, at = at, _fields(self.entry, payload, at, entry)
            if self.flags_at is not None:
                at = self._blocks(payload, start, at, entry)
            entries.append(entry)

    def _blocks(self, payload: bytes, start: int, at: int, values: dict[str, object]) -> int:
        """Read the blocks that follow from `at` on; return where the last of them ends."""
        assert self.flags_at is not None
        flags = int.from_bytes(payload[start + self.flags_at :][: self.flags_size], self.order)
        for bit in range(8 * self.flags_size):
            if not flags >> bit & 1:
                continue
            if bit not in self.blocks:
                raise _Unread(payload, at, f"no block for bit {bit} is declared")
            at = _fields(self.blocks[bit], payload, at, values)
        return at


def choose(layouts: Sequence[PayloadLayout], payload: bytes, port: int | None) -> PayloadLayout | None:
    """Return the first layout that fits."""
    return next((layout for layout in layouts if layout.fits(payload, port)), None)


def none_fits(layouts: Sequence[PayloadLayout], payload: bytes, port: int | None) -> str:
    """Say that no layout fits a payload, and which there are."""
    said = f"on port {port}" if port is not None else "without a port"
    there = "; ".join(_described(layout) for layout in layouts)
    return f"{len(payload)} bytes {said} ({shown(payload)}) are laid out like nothing declared: {there}"


def _described(layout: PayloadLayout) -> str:
    parts = [f"port {', '.join(map(str, sorted(layout.ports)))}"] if layout.ports else []
    if layout.size is not None:
        parts.append(f"{layout.size} bytes")
    if layout.starts:
        parts.append("starts " + " ".join(".." if b is None else f"{b:02x}" for b in layout.starts))
    return " with ".join(parts) or "anything"


def _fields(fields: Sequence[PayloadField], payload: bytes, start: int, values: dict[str, object]) -> int:
    """Read fields of a payload from `start` on; return where the last of them ends."""
    at = furthest = start
    for one in fields:
        if one.at is not None:
            at = start + one.at if one.at >= 0 else len(payload) + one.at
        end = at + one.size
        if at < 0 or end > len(payload):
            name = one.name or one.type
            raise _Unread(payload, start, f"{name} would be bytes {at} to {end - 1} of {len(payload)}")
        if one.name:
            value = one.read(payload[at:end])
            if value is not None:
                _put(values, one.name, value)
        at = end
        furthest = max(furthest, end)
    return furthest


def _put(values: dict[str, object], name: str, value: object) -> None:
    """Put a value under a name whose dots are levels, as a path finds it."""
    *above, last = name.split(".")
    for level in above:
        inner = values.setdefault(level, {})
        if not isinstance(inner, dict):
            return
        values = inner
    values[last] = value
