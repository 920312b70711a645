"""The devices of the past, hour by hour: what they would have sent, at their true intervals.

Devices whose clocks are wrong and messages that are malformed are left out. Knows no database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from firmware_sim.faults import FaultLine
from firmware_sim.member import LinkBreaker, Member
from firmware_sim.physics.model import SECOND
from firmware_sim.town import Town
from ingest.broker.intake import Intake
from ingest.broker.received import increasing

ARRIVES_US = SECOND
"""How long after it was measured a reading arrives."""
YIELD_AFTER = 400
"""Steps of devices after which others get their turn."""


class _NoLabels:
    def write(self, line: FaultLine) -> None:
        """Keep nothing: nobody judges the past."""


class PastTown:
    """The devices that have a past, in simulated time."""

    def __init__(self, town: Town, start: int) -> None:
        """start: microseconds since 1970-01-01Z."""
        self._members = [
            Member(replace(device, opening=()), town, start, _NoLabels(), 0.0)
            for device in town.sensing
            if device.electronics.clock == "right" and device.electronics.bad is None
        ]
        self._by_name = {member.device.name: member for member in self._members}
        self._silent: set[str] = set()
        for member in self._members:
            member.on_link = self._link_of(member.device.name)
        self._received = 0

    def _link_of(self, name: str) -> LinkBreaker:
        def on_link(down: bool) -> None:
            if down:
                self._silent.add(name)
            else:
                self._silent.discard(name)

        return on_link

    def until(self, end: int) -> Iterator[Intake | None]:
        """Live until `end`, not included; yield None now and then, and at last what has arrived."""
        topics: list[str] = []
        payloads: list[bytes] = []
        at: list[int] = []
        steps = 0
        for member in self._members:
            while member.due < end:
                now = member.due
                for reading in member.tick(now):
                    if reading.bad is None and member.device.name not in self._silent:
                        topics.append(reading.topic)
                        payloads.append(reading.element)
                        at.append(now + ARRIVES_US)
                steps += 1
                if steps % YIELD_AFTER == 0:
                    yield None
        if topics:
            yield self._intake(topics, payloads, np.array(at, dtype=np.int64))

    def _intake(self, topics: list[str], payloads: list[bytes], at: NDArray[np.int64]) -> Intake:
        order = np.argsort(at, kind="stable")
        received_at = increasing(at[order], self._received)
        self._received = int(received_at[-1])
        return Intake(
            topics=[topics[i] for i in order],
            payloads=[payloads[i] for i in order],
            received_at=received_at,
            packet_ids=[],
            connection=None,
        )

    def repair(self, device: str, at: int) -> None:
        """Put a device right at an instant that it has not reached; nothing happens where it has no past."""
        if member := self._by_name.get(device):
            member.repair(max(at, member.due))
