"""Messages as received from the broker, or from the quarantine: parallel sequences, no object per message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from numpy import int64
from numpy.typing import NDArray

Origin = Literal["mqtt", "replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """n messages, in arrival order.

    topics, payloads: length n.
    received_at: (n,) int64 microseconds, each greater than the one before.
    packet_ids: of the messages that require an acknowledgement, in order.
    connection: the broker connection that received them; acknowledgements are valid on it alone.
    rejections: of a replay, the id in table rejection of each message.
    over: by index, the messages that are over their device's quota, and what is told of each.
    """

    topics: Sequence[str]
    payloads: Sequence[bytes]
    received_at: NDArray[int64]
    packet_ids: list[int]
    connection: object
    origin: Origin = "mqtt"
    rejections: tuple[int, ...] = ()
    over: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.topics)

    def part(self, start: int, stop: int) -> Intake:
        """Return some of the messages; acknowledgements stay with the whole."""
        return replace(
            self,
            topics=self.topics[start:stop],
            payloads=self.payloads[start:stop],
            received_at=self.received_at[start:stop],
            packet_ids=[],
            rejections=self.rejections[start:stop],
            over={i - start: why for i, why in self.over.items() if start <= i < stop},
        )
