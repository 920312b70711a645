"""What a format makes of one message, and what reads messages of one source.

Pure. Must not know which formats there are, nor profiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from devices.wire.adapters.uplink import Uplink


class FormatAway(ValueError):
    """What reads a format is not installed; the text is the command that helps."""


class Happening(StrEnum):
    """What may happen to a device beside readings, by its source's word.

    A downlink is QUEUED at the network, SENT by a gateway, DELIVERED when the device says so, UNDELIVERED
    when it should have and did not, FAILED when it never left. Sparkplug's nodes must be asked for a REBIRTH.
    """

    JOINED = "joined"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    BORN = "born"
    DIED = "died"
    REBIRTH = "rebirth"
    LOG = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a foreign device and is no reading.

    device: as in Uplink; of a REBIRTH the edge node as topics name it, GROUP/NODE.
    at: microseconds since 1970 UTC; None: not said.
    downlink: what the source calls the downlink that it speaks of, each of its names.
    text: for people; what a log says, why a downlink failed.
    """

    device: str
    happening: Happening
    at: int | None = None
    downlink: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPart:
    """A part of a message that cannot be read, beside parts that can: its bytes, and why."""

    raw: bytes
    why: str
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one message says: of several devices or instants, or of none.

    held: a number for what waits for other messages. A reader that ends forgets it: it must not be
    acknowledged before what has released it. released: the numbers of those that waited until now.
    unread: what is left alone of a stream of messages, how often by name.
    """

    uplinks: list[Uplink] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refused: list[RefusedPart] = field(default_factory=list)
    held: int | None = None
    released: list[int] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)

    def add(self, other: Heard) -> None:
        """Append what other messages say, and that they wait no longer."""
        self.uplinks.extend(other.uplinks)
        self.events.extend(other.events)
        self.refused.extend(other.refused)
        self.released.extend(other.released)
        self.unread.update(other.unread)


class FormatReader(Protocol):
    """Reads the messages of one source, in the order of their arrival."""

    def read(self, topic: str, payload: bytes, received_at: int, *, repeated: bool = False) -> Heard:
        """Return what a message says.

        Args:
            topic: MQTT topic, or what stands for it over HTTP (each format says what it looks for).
            payload: as it came.
            received_at: microseconds since 1970 UTC; relative times count from it.
            repeated: the sender says that it may have sent it before.

        Raises:
            Unreadable: nothing of it can be read.
        """
        ...

    def overdue(self, now: int) -> Heard:
        """Return what was held back for messages that should have come before it, and waits no longer."""
        ...


@dataclass(frozen=True, slots=True)
class Stateless:
    """A reader for which each message stands by itself."""

    function: Callable[[str, bytes, int], Heard]

    def read(self, topic: str, payload: bytes, received_at: int, *, repeated: bool = False) -> Heard:
        return self.function(topic, payload, received_at)

    def overdue(self, now: int) -> Heard:
        return Heard()
