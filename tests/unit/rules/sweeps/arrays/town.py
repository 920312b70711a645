"""Devices of a town on the coast, their readings, and a sweep rule over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from devices.kinds.kind import Kind
from devices.registry.registry import Device, Municipality, Registry
from rules.language.program import Rule
from rules.loading.files import parse
from rules.sweeps.arrays.array_sweep import ArraySweep
from rules.sweeps.arrays.received import received_by
from rules.sweeps.arrays.replay import SweepReplay
from rules.sweeps.arrays.swept_devices import SweptDevices
from tests.unit.rules.readings import KINDS, MINUTE, NOON, Reading, columns_of


def town(*, placed: bool = True) -> Municipality:
    """Return tripoli, with or without coordinates."""
    return Municipality(
        id=1,
        name="tripoli",
        title={},
        time_zone="Africa/Tripoli",
        locale="ar-LY",
        weekend=(5, 6),
        lat=32.9 if placed else None,
        lon=13.2 if placed else None,
        register_unknown=False,
    )


def device(
    number: int,
    kind: str = "bin",
    *,
    parent: int | None = None,
    lat: float | None = None,
    **attributes: Any,
) -> Device:
    """Return a device of tripoli; `lat` places it on the meridian of 13.2 degrees."""
    return Device(
        id=number,
        name=f"D-{number}",
        kind=kind,
        municipality="tripoli",
        municipality_id=1,
        parent_id=parent,
        lat=lat,
        lon=None if lat is None else 13.2,
        attributes=attributes,
    )


def registry(devices: Sequence[Device], *, placed: bool = True) -> Registry:
    """Return devices as the registry holds them."""
    return Registry(
        devices={d.id: d for d in devices},
        by_name={d.name: d for d in devices},
        municipalities={"tripoli": town(placed=placed)},
    )


def swept(number: int, *, placed: bool = True, windows: Sequence[tuple[int, int]] = ()) -> SweptDevices:
    """Return one bin, worked on in some windows (microseconds)."""
    only = [device(number)]
    return SweptDevices.of(registry(only, placed=placed), only, {number: windows})


class Replayed:
    """A sweep rule over some devices, and what it finds in readings of theirs."""

    def __init__(self, sweep: ArraySweep, kind: Kind, *, every_us: int = 10_000_000) -> None:
        self.sweep = sweep
        self._kind = kind
        self._replay = SweepReplay(sweep, tick_us=2_000_000, every_us=every_us)

    def send(self, *readings: Reading, interval_min: float = 10.0) -> None:
        """Send readings in the order given."""
        interval_us = np.full(len(readings), round(interval_min * MINUTE), dtype=np.int64)
        columns = columns_of(readings, self._kind)
        self._replay.receive(received_by(columns, interval_us, self.sweep.device_id, self.sweep.measurements))

    def until(self, minute: float) -> list[tuple[str, int, float]]:
        """Return each change until a minute after noon: state, device, and minute of its instant."""
        end = NOON + round(minute * MINUTE)
        return [
            (str(t.to_state), t.device_id, round((t.observed_at - NOON) / MINUTE, 2))
            for _, t in self._replay.until(end)
        ]


def rule_of(text: str) -> Rule:
    """Return a rule of YAML; the sentences are added."""
    sentences = '  summary: {en: "{device}", fr: "{device}", ar: "{device}"}\n'
    (definition,) = parse(text + sentences, KINDS)
    return Rule(definition=definition, version=1)


def now(minute: float, number: int, **values: float | None) -> Reading:
    """Return a reading that is received as it is observed."""
    return Reading(minute=minute, device=number, values=values, received=minute)
