"""Streets on three phases, of which one is low or high now and then, and bad joints of single lamps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec

from bench.rules.apart.device_class import DeviceClass
from firmware_sim.faults import FaultLine
from firmware_sim.physics.around import SurroundedDevice
from firmware_sim.physics.feed import PHASES, FedLight
from firmware_sim.physics.model import DAY_S, HOUR_S, SECOND, Truth, Value, generator, sensed
from firmware_sim.plan import Cause
from firmware_sim.specs import SimulatedDevice

_RULE = "circuit-voltage"
_CELL_US = round(2.5 * DAY_S * SECOND)
_OFTEN = 0.8
_LEAST_LAMPS = 3
"""Two poles may each have a bad joint; of fewer nobody must think of the phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFault:
    """One phase of a circuit that is off by some volts; microseconds, the end not included."""

    start: int
    end: int
    phase: int
    volts: float


class PhasedLight(SurroundedDevice[FedLight]):
    """A lamp on one phase of its circuit, whose other lamps on it have what it has."""

    def __init__(self, inner: FedLight, circuit: str, place: int, seed: int) -> None:
        super().__init__(inner)
        self._circuit, self._place, self._seed = circuit, place, seed
        self._of = lru_cache(maxsize=8)(self._drawn)
        self._volts = 0.0

    def _drawn(self, cell: int) -> PhaseFault | None:
        rng = generator(self._seed, "phase", self._circuit, str(cell))
        if rng.random() > _OFTEN:
            return None
        start = cell * _CELL_US + round(float(rng.uniform(0.0, 1.5 * DAY_S)) * SECOND)
        lasts_s = float(rng.uniform(0.5 * HOUR_S, 20 * HOUR_S))
        low = rng.random() < 0.7
        return PhaseFault(
            start=start,
            end=start + round(lasts_s * SECOND),
            phase=int(rng.integers(PHASES)),
            volts=float(rng.uniform(-60.0, -30.0) if low else rng.uniform(30.0, 45.0)),
        )

    def step(self, now: int) -> bool:
        """Live until `now`; True when something is reported at once."""
        fault = self._of(now // _CELL_US)
        hit = fault is not None and fault.start <= now < fault.end and fault.phase == self._place % PHASES
        was, self._volts = self._volts, fault.volts if fault is not None and hit else 0.0
        # A controller tells at once that its mains are wrong, or right again.
        return self._inner.step(now) | (was != self._volts)

    def measure(self) -> dict[str, Value]:
        """Return what its sensors say, with the voltage of its phase."""
        values = self._inner.measure()
        return values | {"voltage_v": sensed(float(values["voltage_v"] or 0.0) + self._volts, 1)}

    def truth(self) -> Mapping[str, Truth]:
        """Return what is wrong. A phase without any power is another fault, which may be told as this one."""
        truth = dict(self._inner.truth())
        under = truth["light-under-voltage"]
        unfed, off = under.holds and under.hidden, self._volts != 0.0
        return truth | {_RULE: Truth(holds=off or unfed, near=off or unfed, hidden=unfed)}


class Streets:
    """Which lamp hangs on which circuit, as devices are made; labels of lamps become those of circuits."""

    def __init__(self) -> None:
        self._circuits: dict[str, str] = {}

    def around(self, device: SimulatedDevice, seed: int) -> SimulatedDevice:
        """Return a lamp on one phase of its circuit."""
        assert device.physics is not None
        assert device.parent is not None
        fed = device.physics()
        assert isinstance(fed, FedLight)
        self._circuits.pop(device.name, None)
        place = sum(circuit == device.parent for circuit in self._circuits.values())
        self._circuits[device.name] = device.parent
        lamp = PhasedLight(fed, device.parent, place, seed)
        return replace(device, physics=lambda: lamp)

    def relabel(self, lines: Sequence[FaultLine]) -> list[FaultLine]:
        """Return labels, those of lamps with one cause as one of their circuit."""
        of_circuit: dict[str, list[FaultLine]] = defaultdict(list)
        for line in lines:
            if line.expect == _RULE:
                of_circuit[self._circuits[line.device]].append(line)
        made = [line for circuit, own in of_circuit.items() for line in _joined(circuit, own)]
        return [*(line for line in lines if line.expect != _RULE), *made]


def _joined(circuit: str, lines: Sequence[FaultLine]) -> list[FaultLine]:
    """Return one label for all lamps that were off at the same time."""
    found: list[list[FaultLine]] = []
    until = ""
    for line in sorted(lines, key=lambda line: line.start):
        if found and line.start <= until:
            found[-1].append(line)
        else:
            found.append([line])
            until = ""
        until = max(until, line.end or "9")
    return [_label(circuit, own) for own in found]


def _label(circuit: str, own: Sequence[FaultLine]) -> FaultLine:
    starts = sorted(line.start for line in own)
    seen = {line.device for line in own if line.detectable}
    ends = [line.end for line in own if line.end is not None]
    return msgspec.structs.replace(
        own[0],
        device=circuit,
        start=starts[min(_LEAST_LAMPS, len(starts)) - 1],
        earliest=min(line.earliest for line in own),
        end=max(ends) if len(ends) == len(own) else None,
        detectable=len(seen) >= _LEAST_LAMPS,
        interval_s=max(line.interval_s for line in own),
        reports_s=max(line.reports_s for line in own),
    )


def phased() -> DeviceClass:
    """Return lamps of which many may be off by one cause, and single ones by their own."""
    streets = Streets()
    return DeviceClass(
        name="lights-phases",
        kind="light",
        mean_days=12,
        share=0.1,
        causes=(Cause(name="neutral_shift", shortest_s=HOUR_S, longest_s=DAY_S),),
        around=streets.around,
        relabel=streets.relabel,
        rules=frozenset({_RULE}),
    )
