"""What makes a class of devices that is judged apart. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bench.rules.town import Numbers, bench_town
from devices.kinds.kind import Kind
from firmware_sim.faults import FaultLine
from firmware_sim.plan import Cause
from firmware_sim.specs import SimulatedDevice
from firmware_sim.town import Town


def _as_is(lines: Sequence[FaultLine]) -> list[FaultLine]:
    return list(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceClass:
    """Devices of one kind that differ from the town's others.

    share, days_share: how many there are, and for how long they are watched, beside those of the kind.
    mean_days: from the end of a fault to the next. causes: what breaks. around: turns a device of the town,
    with what is staged around it, into one of the class, given the town's seed. attributes: what the registry
    knows of them beside the rest. relabel: what labels say of such devices. learns_days: what begins in the
    first days is not judged. rules: judged, all if empty. interval: the name under which `by_interval` tells
    its score, empty if it is not about intervals.
    """

    name: str
    kind: str
    mean_days: float
    causes: tuple[Cause, ...]
    around: Callable[[SimulatedDevice, int], SimulatedDevice]
    share: float = 0.09
    days_share: float = 1.0
    attributes: Mapping[str, object] | None = None
    relabel: Callable[[Sequence[FaultLine]], list[FaultLine]] = _as_is
    learns_days: float = 0.0
    rules: frozenset[str] = frozenset()
    interval: str = ""

    def town(self, seed: int, known: Mapping[str, Kind], numbers: Numbers) -> Town:
        """Return a town of such devices."""
        town = bench_town(zlib.crc32(f"{seed} {self.name}".encode()), known, numbers)
        devices = tuple(
            self._of_class(device) if device.kind == self.kind else device for device in town.devices
        )
        return replace(town, devices=devices, fault_mean_days=self.mean_days)

    def _of_class(self, device: SimulatedDevice) -> SimulatedDevice:
        attributes = {**device.attributes, **(self.attributes or {})}
        return replace(device, causes=self.causes, attributes=attributes)

    def numbers(self, town: Numbers) -> Numbers:
        """Return how many devices live for how long, given the whole town."""
        count = {"bins": 0, "lights": 0, "drones": 0}
        count[f"{self.kind}s"] = round(self.share * town.of(self.kind))
        return Numbers(days=town.days * self.days_share, **count)


def lasted_s(line: FaultLine) -> float:
    """Return for how many seconds a labelled fault held, 0 for one that held at the end of the run."""
    if line.end is None:
        return 0.0
    return (datetime.fromisoformat(line.end) - datetime.fromisoformat(line.start)).total_seconds()
