"""One Sparkplug edge node as its host knows it: what births said, and which message should come next.

Pure. Messages that overtake others wait for them, REORDER_S at most and MAX_WAITING of them; then they are
read in their order, with what births said, and the node is asked for a rebirth. Nothing that can be read is
thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from devices.wire.adapters.formats.bounded import MAX_UPLINKS, named
from devices.wire.adapters.formats.heard import Event, Happening, Heard, RefusedPart
from devices.wire.adapters.formats.sparkplug_payload import UNREAD, Metric, Payload
from devices.wire.adapters.uplink import Unreadable, Uplink

REORDER_S: Final = 5.0
"""How long a message waits for those that should have come before it, in seconds."""
MAX_WAITING: Final = 64
"""Most messages of one node that wait."""
REBIRTH_EVERY_S: Final = 60.0
"""How often at most a node is asked for a rebirth, in seconds: births are long."""
_SEQUENCE: Final = 256
_NODE: Final = ""
"""Stands for the node among its devices."""
_NO_MEASUREMENTS: Final = ("bdSeq", "Node Control/", "Device Control/", "Node Info/", "Device Info/")


class SparkplugKind(StrEnum):
    """What a message is, by its topic."""

    NBIRTH = "NBIRTH"
    DBIRTH = "DBIRTH"
    NDATA = "NDATA"
    DDATA = "DDATA"
    NDEATH = "NDEATH"
    DDEATH = "DDEATH"


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkplugMessage:
    """One message of a node, or of a device below it (`device` is empty for the node).

    number: no other of the source has it.
    """

    number: int
    topic: str
    kind: SparkplugKind
    device: str
    payload: Payload
    raw: bytes
    received_at: int


@dataclass(slots=True)
class EdgeNode:
    """Reads the messages of one edge node.

    name: GROUP/NODE, as in topics. Devices are called GROUP:NODE and GROUP:NODE:DEVICE: no name of ours has a
    slash.
    """

    name: str
    _birth_number: object = None
    _next: int | None = None
    _metrics: dict[str, dict[int | str, tuple[str, int]]] = field(default_factory=dict)
    _waiting: dict[int, SparkplugMessage] = field(default_factory=dict)
    _asked_at: int | None = None

    def read(self, message: SparkplugMessage) -> Heard:
        """Return what a message says, and what has waited for it."""
        heard = Heard()
        if message.kind is SparkplugKind.NBIRTH:
            self._give_up(heard)
            self._forget()
            self._next = ((message.payload.seq or 0) + 1) % _SEQUENCE
            self._take(message, heard)
        elif message.kind is SparkplugKind.NDEATH:
            self._node_died(message, heard)
        elif self._next is None or message.payload.seq is None:
            self._ask(message.received_at, heard)
            self._take(message, heard)
        else:
            return self._in_order(message, message.payload.seq)
        return heard

    def overdue(self, now: int) -> Heard:
        """Return what messages say that have waited long enough for others."""
        heard = Heard()
        first = min((message.received_at for message in self._waiting.values()), default=now)
        if now - first >= REORDER_S * 1_000_000:
            self._give_up(heard)
            self._ask(now, heard)
        return heard

    def _in_order(self, message: SparkplugMessage, seq: int) -> Heard:
        heard = self.overdue(message.received_at)
        ahead = (seq - (self._next or 0)) % _SEQUENCE
        if ahead >= _SEQUENCE // 2 or seq in self._waiting:
            self._take(message, heard)  # it was waited for in vain, or comes again
            return heard
        if ahead:
            self._waiting[seq] = message
            if len(self._waiting) > MAX_WAITING:
                self._give_up(heard)
                self._ask(message.received_at, heard)
                return heard
            return replace(heard, held=message.number)
        self._take(message, heard)
        self._next = (seq + 1) % _SEQUENCE
        while self._next in self._waiting:
            self._release(self._next, heard)
        return heard

    def _give_up(self, heard: Heard) -> None:
        """Read what waits, in its order, without what it waited for."""
        expected = self._next or 0
        for seq in sorted(self._waiting, key=lambda seq: (seq - expected) % _SEQUENCE):
            self._release(seq, heard)

    def _release(self, seq: int, heard: Heard) -> None:
        message = self._waiting.pop(seq)
        heard.released.append(message.number)
        self._take(message, heard)
        self._next = (seq + 1) % _SEQUENCE

    def _forget(self) -> None:
        self._metrics.clear()
        self._waiting.clear()
        self._birth_number = self._next = self._asked_at = None

    def _ask(self, now: int, heard: Heard) -> None:
        if self._asked_at is None or now - self._asked_at >= REBIRTH_EVERY_S * 1_000_000:
            self._asked_at = now
            heard.events.append(Event(device=self.name, happening=Happening.REBIRTH, at=now))

    def _node_died(self, message: SparkplugMessage, heard: Heard) -> None:
        number = _birth_number(message.payload)
        if self._next is not None and number != self._birth_number:
            return  # the will of a session before this one, which the broker was late to find dead
        self._give_up(heard)
        self._forget()
        heard.events.append(Event(device=self._device(""), happening=Happening.DIED, at=message.received_at))

    def _take(self, message: SparkplugMessage, heard: Heard) -> None:
        device = self._device(message.device)
        if message.kind is SparkplugKind.DDEATH:
            self._metrics.pop(message.device, None)
            heard.events.append(Event(device=device, happening=Happening.DIED, at=message.payload.at))
            return
        if message.kind in (SparkplugKind.NBIRTH, SparkplugKind.DBIRTH):
            self._learn(message)
            heard.events.append(Event(device=device, happening=Happening.BORN, at=message.payload.at))
        self._values(message, device, heard)

    def _learn(self, message: SparkplugMessage) -> None:
        """Remember what a birth calls its metrics; it names every one."""
        if message.kind is SparkplugKind.NBIRTH:
            self._birth_number = _birth_number(message.payload)
        known: dict[int | str, tuple[str, int]] = {}
        for metric in message.payload.metrics:
            if metric.name:
                known[metric.name] = (metric.name, metric.datatype)
                if metric.alias is not None:
                    known[metric.alias] = known[metric.name]
        self._metrics[message.device] = known

    def _values(self, message: SparkplugMessage, device: str, heard: Heard) -> None:
        """Gather the metrics of a message by instant; what cannot be read is refused alone."""
        found: dict[int | None, dict[str, object]] = {}
        unread: list[str] = []
        for metric in message.payload.metrics:
            try:
                name, value = self._resolve(metric, message.device)
            except Unreadable as error:
                unread.append(str(error))
                if "alias" in str(error):
                    self._ask(message.received_at, heard)
                continue
            if value is not UNREAD and not metric.transient and not name.startswith(_NO_MEASUREMENTS):
                found.setdefault(metric.at, {})[name] = value
        if len(found) > MAX_UPLINKS:
            unread, found = [f"{len(found)} instants, the limit is {MAX_UPLINKS}"], {}
        if unread:
            heard.refused.append(RefusedPart(raw=message.raw, why="; ".join(unread[:3]), device=device))
        for at, values in found.items():
            heard.uplinks.append(
                Uplink(device=device, raw=message.raw, at=at, values=values, topic=message.topic)
            )

    def _device(self, below: str) -> str:
        return ":".join([*self.name.split("/"), *([below] if below else [])])

    def _resolve(self, metric: Metric, device: str) -> tuple[str, object]:
        known = self._metrics.get(device, {})
        key: int | str | None = metric.name or metric.alias
        if key is None:
            raise Unreadable("a metric has neither name nor alias")
        name, datatype = known.get(key, (metric.name, 0))
        if not name:
            raise Unreadable(f"no birth told what the alias {metric.alias} stands for")
        return named(name, "a metric"), metric.value(metric.datatype or datatype)


def _birth_number(payload: Payload) -> object:
    """Return `bdSeq`, which says to which birth a death belongs."""
    return next((m.value(m.datatype) for m in payload.metrics if m.name == "bdSeq"), None)
