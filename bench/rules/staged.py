"""What only sweeps can see, staged around the simulated devices of a town, and its labels.

Circuits lose their power, thermometers die, and the true fill of bins is written down. Wraps physics and
draws from random numbers of its own, so that nothing else in the town changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from bench.rules import fullness
from bench.rules.fullness import TracedBin
from devices.instants import of_rfc3339
from firmware_sim.faults import CLOCK_WRONG, FROZEN_VALUES, SILENT, SWEPT, FaultLine, rfc3339
from firmware_sim.physics.bin import Bin
from firmware_sim.physics.feed import FedLight, PowerOutage, SupplyFeed
from firmware_sim.physics.grid import Circuit
from firmware_sim.physics.light import Light
from firmware_sim.physics.model import SECOND, generator
from firmware_sim.physics.thermometer import MeasuredBin
from firmware_sim.physics.weather import make_weather
from firmware_sim.specs import SimulatedDevice
from firmware_sim.town import Town

Span = tuple[int, int]
RULE = "circuit-down"
_DOWN_SHARE = 0.6
"""When so many of its lamps have no power it is the circuit that is down, and not some lamps."""
_NIGHT_DEG = -3.5
_LOOK_US = 60 * SECOND
_REPORT_S = 900.0
_NOTICED_US = 30 * 60 * SECOND
"""A shorter outage leaves no gap in which a rule would lose count."""
_RESTARTED = (SILENT, FROZEN_VALUES, CLOCK_WRONG)


class StagedDevices:
    """Some devices of a town with what is staged around them."""

    def __init__(self, town: Town, devices: Sequence[SimulatedDevice]) -> None:
        self._town = town
        self._weather = make_weather(town.seed, town.place.lat, town.place.lon)
        self._bins: dict[str, TracedBin] = {}
        self._lamps: dict[str, FedLight] = {}
        self._streets: dict[str, list[str]] = defaultdict(list)
        self.devices = [self._staged(device) for device in devices]

    def has_power(self, device: str) -> Callable[[int], bool]:
        """Return what tells whether a device has power at an instant."""
        lamp = self._lamps.get(device)
        return (lambda now: True) if lamp is None else lambda now: not lamp.is_dead(now)

    def _staged(self, device: SimulatedDevice) -> SimulatedDevice:
        assert device.physics is not None
        physics = device.physics()
        if isinstance(physics, Bin):
            rng = generator(self._town.seed, "thermometer", device.name)
            traced = self._bins[device.name] = TracedBin(MeasuredBin(physics, rng))
            return replace(device, physics=lambda: traced)
        if isinstance(physics, Light) and device.parent is not None:
            street = self._streets[device.parent]
            grid = Circuit(device.parent, self._town.seed, self._town.place.lon)
            feed = SupplyFeed(device.parent, self._town.seed)
            fed = self._lamps[device.name] = FedLight(physics, grid, feed, len(street))
            street.append(device.name)
            return replace(device, physics=lambda: fed)
        return replace(device, physics=lambda: physics)

    def close(self, lines: Sequence[FaultLine], start: int, end: int) -> list[FaultLine]:
        """Return all labels of a run: those the devices have written, and those of what was staged."""
        made = [line for name in self._bins for line in self._fullness(name, lines, end)]
        dead: dict[str, list[Span]] = defaultdict(list)
        for circuit, street in self._streets.items():
            for outage in SupplyFeed(circuit, self._town.seed).between(start, end):
                down = [lamp for place, lamp in enumerate(street) if outage.hits(place)]
                if len(down) >= len(street) * _DOWN_SHARE:
                    made += self._down(circuit, outage, end)
                if outage.dead:
                    made += [_silence(lamp, outage, end) for lamp in down]
                    for lamp in down:
                        dead[lamp].append((outage.start, outage.end))
        return [*(_unless_dead(line, dead) for line in lines), *made]

    def _fullness(self, name: str, lines: Sequence[FaultLine], end: int) -> list[FaultLine]:
        blinding = (SILENT, FROZEN_VALUES, CLOCK_WRONG)
        others = [_span(line, end) for line in lines if line.device == name and line.expect in blinding]
        return fullness.labels(name, self._bins[name].trace(), others)

    def _down(self, circuit: str, outage: PowerOutage, end: int) -> Iterator[FaultLine]:
        """Yield when an outage is one that can be known: at once if controllers died, else by night."""
        for start, until in [(outage.start, outage.end)] if outage.dead else self._nights(outage):
            needed = SWEPT[RULE].lasts_s * SECOND
            yield FaultLine(
                device=circuit,
                fault=SWEPT[RULE].fault,
                start=rfc3339(start),
                end=rfc3339(until) if until < end else None,
                expect=RULE,
                earliest=rfc3339(outage.start),
                detectable=min(until, end) - start >= needed,
                interval_s=_REPORT_S,
            )

    def _nights(self, outage: PowerOutage) -> list[Span]:
        at = np.arange(outage.start, outage.end, _LOOK_US)
        dark = np.array([self._weather.sun_deg(int(t)) < _NIGHT_DEG for t in at], dtype=np.int8)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], dark, [0]])))
        ends = [*at.tolist(), outage.end]
        return [(ends[a], ends[b]) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]


def _silence(lamp: str, outage: PowerOutage, end: int) -> FaultLine:
    """Return the silence of a lamp without power: right if told, but the circuit's incident is enough."""
    return FaultLine(
        device=lamp,
        fault="silence",
        start=rfc3339(outage.start),
        end=rfc3339(outage.end) if outage.end < end else None,
        expect=SILENT,
        earliest=rfc3339(outage.start),
        detectable=False,
        interval_s=_REPORT_S,
    )


def _unless_dead(line: FaultLine, dead: Mapping[str, Sequence[Span]]) -> FaultLine:
    """Return a label, not one that must be told where its device was started anew in the middle."""
    if line.expect not in _RESTARTED:
        return line
    start, end = _span(line, 1 << 62)
    counts_us = 0 if line.expect == SILENT else _NOTICED_US
    if any(
        start <= until and since <= end and until - since >= counts_us
        for since, until in dead.get(line.device, ())
    ):
        return msgspec.structs.replace(line, detectable=False)
    return line


def _span(line: FaultLine, end: int) -> Span:
    return of_rfc3339(line.start), end if line.end is None else of_rfc3339(line.end)
