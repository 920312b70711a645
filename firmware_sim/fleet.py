"""Runs a town: every device on one event loop, by a heap of due instants, against one broker.

Simulated time comes from `now`, which may run faster than the wall clock; this file never reads one.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from devices.kinds import STRUCTURAL
from devices.wire.topics import GATEWAY, Channel, Topic
from firmware_sim.faults import FaultLog
from firmware_sim.link import SimulatorBroker
from firmware_sim.member import Member, publisher
from firmware_sim.physics.model import SECOND, generator
from firmware_sim.publish_log import PublishLog
from firmware_sim.specs import SimulatedDevice
from firmware_sim.station import Counts, Station, StationContext
from firmware_sim.town import Town
from firmware_sim.updating import Downloads

_SHORTEST_SLEEP_S = 0.01
_CARE_EVERY_S = 1.0
_YIELD_EVERY = 25
"""Steps between two looks at the sockets."""
_PLATFORM_DELAY_S = 3.0
"""Wall-clock seconds the platform may take from a reading to an alert, for `detectable`."""

logger = logging.getLogger(__name__)


class Fleet:
    """The devices of a town and their connections; see `run`."""

    def __init__(
        self,
        town: Town,
        *,
        broker: SimulatorBroker,
        now: Callable[[], int],
        publish_log: Path,
        fault_log: Path,
        downloads: Downloads | None = None,
    ) -> None:
        self._town = town
        self._now = now
        self._speed = broker.speed
        self._publish_log = PublishLog(publish_log)
        self._fault_log = FaultLog(fault_log)
        self._counts = Counts()
        self._wake = asyncio.Event()
        self._broker = f"{broker.host}:{broker.port}"
        self._told = False
        start = now()
        delay_s = _PLATFORM_DELAY_S * broker.speed
        self._members = [
            Member(device, town, start, self._fault_log, delay_s)
            for device in (*town.sensing, *town.strangers)
        ]
        around = StationContext(
            broker=broker,
            now=now,
            log=self._publish_log,
            counts=self._counts,
            downloads=downloads,
            hurry=self._hurry,
        )
        self._stations = _stations(town, self._members, around)
        self._heap = [(member.due, i) for i, member in enumerate(self._members)]
        heapq.heapify(self._heap)
        self._index = {member.device.name: i for i, member in enumerate(self._members)}
        logger.info("simulating %d devices, seed %d", len(self._members), town.seed)

    @property
    def counts(self) -> Counts:
        """What was published so far, and what still waits."""
        counts, stations = self._counts, self._stations.values()
        counts.waiting = sum(len(s.outbox) for s in stations)
        counts.unsettled = sum(s.outbox.unsettled for s in stations)
        counts.dropped = sum(s.outbox.dropped for s in stations)
        counts.faults = self._fault_log.count
        return counts

    async def run(self, stop: asyncio.Event, *, drain_s: float = 5.0) -> None:
        """Sample and publish until `stop`, then flush for up to `drain_s` seconds and say goodbye."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(s.link.run()) for s in self._stations.values()]
                tasks.append(group.create_task(self._care()))
                await self._sample(stop)
                await self._drain(drain_s)
                for task in tasks:
                    task.cancel()
        finally:
            self._close()

    async def _sample(self, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await self._tick_due()
                wait_s = (self._heap[0][0] - self._now()) / SECOND / self._speed if self._heap else 1.0
                self._wake.clear()
                woken = asyncio.create_task(self._wake.wait())
                await asyncio.wait(
                    {stopped, woken},
                    timeout=max(_SHORTEST_SLEEP_S, wait_s),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                woken.cancel()
        finally:
            stopped.cancel()

    async def _tick_due(self) -> None:
        touched: set[Station] = set()
        steps, now = 0, self._now()
        while self._heap and self._heap[0][0] <= now:
            due, index = heapq.heappop(self._heap)
            member = self._members[index]
            if due != member.due:
                continue  # a command changed its mind; a newer entry exists
            station = self._stations[publisher(member.device)]
            for reading in member.tick(due):
                station.outbox.add(reading)
                touched.add(station)
            heapq.heappush(self._heap, (member.due, index))
            steps += 1
            if steps % _YIELD_EVERY == 0:
                _pump(touched)
                await asyncio.sleep(0)
        _pump(touched)

    def repair(self, device: str) -> None:
        """Put right what is broken at a device; nothing happens where it is none that senses."""
        index = self._index.get(device)
        if index is not None:
            self._members[index].repair(self._now())
            self._hurry(self._members[index])

    def _hurry(self, member: Member) -> None:
        heapq.heappush(self._heap, (member.due, self._index[member.device.name]))
        self._wake.set()

    async def _care(self) -> None:
        while True:
            await asyncio.sleep(_CARE_EVERY_S)
            for station in self._stations.values():
                station.look_after()
            self._publish_log.flush()
            self._complain()

    def _complain(self) -> None:
        """Say once when nobody gets through to the broker, and why."""
        links = [station.link for station in self._stations.values()]
        if any(link.up for link in links):
            self._told = False
        elif not self._told and (reason := next((link.refused for link in links if link.refused), "")):
            self._told = True
            logger.warning("no device can connect to %s, trying again: %s", self._broker, reason)

    async def _drain(self, drain_s: float) -> None:
        stations = self._stations.values()
        for station in stations:
            station.link.restore()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                while any(len(s.outbox) for s in stations):
                    _pump(stations)
                    await asyncio.sleep(0.05)
        for station in stations:
            station.close()
            station.link.say_offline()

    def _close(self) -> None:
        now = self._now()
        for member in self._members:
            member.close(now)
        self._publish_log.close()
        self._fault_log.close()
        logger.info("seed %d: %s", self._town.seed, self.counts)


def _pump(stations: Iterable[Station]) -> None:
    for station in stations:
        station.pump()


def _stations(town: Town, members: list[Member], around: StationContext) -> dict[str, Station]:
    behind: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        behind[publisher(member.device)].append(member)
    speakers = [d for d in (*town.devices, *town.strangers) if d.kind == GATEWAY or _speaks(d)]
    return {
        d.name: Station(
            Topic(d.municipality, d.kind, d.name, Channel.TELEMETRY),
            behind[d.name],
            around,
            generator(town.seed, "link", d.name),
        )
        for d in speakers
    }


def _speaks(device: SimulatedDevice) -> bool:
    return device.kind not in STRUCTURAL and device.relay is None


async def run(
    town: Town,
    *,
    broker: SimulatorBroker,
    now: Callable[[], int],
    publish_log: Path,
    fault_log: Path,
    stop: asyncio.Event,
    drain_s: float = 5.0,
    downloads: Downloads | None = None,
) -> Counts:
    """Run every device of the town against a broker until `stop`, and return the final counts.

    Args:
        broker: where to connect; `broker.speed` times the wall's speed is that of the clock `now`.
        now: microseconds since 1970-01-01Z on the simulation's clock.
        publish_log, fault_log: files to write, one JSON line per publish attempt and per fault.
        drain_s: wall-clock seconds to flush what waits after `stop`.
        downloads: where firmware is fetched; without it devices cannot be updated.
    """
    fleet = Fleet(
        town,
        broker=broker,
        now=now,
        publish_log=publish_log,
        fault_log=fault_log,
        downloads=downloads,
    )
    await fleet.run(stop, drain_s=drain_s)
    return fleet.counts
