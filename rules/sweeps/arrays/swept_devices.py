"""The devices that a sweep rule judges, in arrays, and until when the rule leaves each alone. No database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.registry.registry import Device, Registry
from devices.registry.relays import above
from devices.supply import SUPPLY, Supply, parse_supply
from rules.context.attributes import as_numbers
from rules.context.gate import judge_gate, rests_in_maintenance
from rules.context.local_time import PlaceColumns
from rules.definition.definition import Gate
from rules.maintenance.spans import Spans
from rules.sweeps.core import supply
from rules.sweeps.core.instants import NEVER

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

REMEMBERED_US = 86_400_000_000
"""For so long a maintenance window is known after its end, as to the live sweep (rules.maintenance.spans)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptDevices:
    """n devices, (n,) each.

    parent: id of what feeds each, else of a gateway, -1 for none. lat, lon: degrees, NaN where unknown.
    places: the same or else their municipality's, with its clock. windows: maintenance of each, microseconds.
    attributes: of each. supplies: by row, of those whose power is off by plan.
    """

    device_id: Ints
    parent: Ints
    lat: Floats
    lon: Floats
    places: PlaceColumns
    windows: Sequence[Sequence[tuple[int, int]]]
    attributes: Sequence[Mapping[str, Any]]
    supplies: Mapping[int, Supply]

    def __len__(self) -> int:
        return len(self.device_id)

    def texts(self, name: str | None) -> NDArray[np.object_]:
        """Return an attribute of each as it is, None where it has none, or none is asked for."""
        return np.array([None if name is None else one.get(name) for one in self.attributes], dtype=object)

    def attribute(self, name: str) -> Floats:
        """Return a numeric attribute of each, NaN where it has none."""
        return as_numbers(one.get(name) for one in self.attributes)

    @classmethod
    def of(cls, registry: Registry, devices: Sequence[Device], maintenance: Spans) -> SweptDevices:
        """Return devices as the registry knows them now."""
        towns = [registry.municipalities[d.municipality] for d in devices]
        where = [
            d if d.lat is not None and d.lon is not None else t for d, t in zip(devices, towns, strict=True)
        ]
        return cls(
            device_id=np.array([d.id for d in devices], dtype=np.int64),
            parent=np.array([_parent(registry, d) for d in devices], dtype=np.int64),
            lat=np.array([d.lat for d in devices], dtype=np.float64),
            lon=np.array([d.lon for d in devices], dtype=np.float64),
            places=PlaceColumns.of(
                [t.time_zone for t in towns],
                [t.weekend for t in towns],
                [w.lat for w in where],
                [w.lon for w in where],
            ),
            windows=[maintenance.get(d.id, ()) for d in devices],
            attributes=[d.attributes for d in devices],
            supplies=_supplies(registry, devices),
        )


def _parent(registry: Registry, device: Device) -> int:
    if device.parent_id is not None:
        return device.parent_id
    return min((registry.by_name[name].id for name in device.relays if name in registry.by_name), default=-1)


def _supplies(registry: Registry, devices: Sequence[Device]) -> dict[int, Supply]:
    """Return the plan of power of each row: its own, or that of what it hangs on, two levels up."""
    found: dict[int, Supply] = {}
    for row, device in enumerate(devices):
        level = [device]
        for _ in range(3):
            own = next((one for one in level if SUPPLY in one.attributes), None)
            if own is not None:
                plan = parse_supply(own.attributes[SUPPLY])
                if plan is not None:
                    found[row] = plan
                break
            level = [higher for one in level for higher in above(registry, one)]
    return found


class RestingDevices:
    """Until when a rule leaves devices alone.

    That is maintenance it respects, power that is off by plan, and whom its `when` is closed for.
    """

    def __init__(self, gate: Gate | None, devices: SweptDevices) -> None:
        self._gate = (
            gate if gate is not None and (gate.local_from_min, gate.days, gate.sun) != (None,) * 3 else None
        )
        self._places = devices.places
        self._fed = np.array(list(devices.supplies), dtype=np.intp)
        self._supplies = list(devices.supplies.values())
        self._fed_places = devices.places.take(self._fed)
        self._nobody: Ints = np.full(len(devices), NEVER, dtype=np.int64)
        windows = devices.windows if rests_in_maintenance(gate) else ()
        spans = [(row, *span) for row, own in enumerate(windows) for span in own]
        self._owner, self._from, self._until = np.array(spans, dtype=np.int64).reshape(-1, 3).T

    def until(self, at: int) -> Ints:
        """Return until when devices are left alone, (n,) microseconds; long ago for the others."""
        resting = self.maintained_until(at)
        if len(self._fed):
            resting = resting.copy()
            unfed = supply.resting_until(self._supplies, self._fed_places, at)
            resting[self._fed] = np.maximum(resting[self._fed], np.where(unfed > 0, unfed, NEVER))
        if self._gate is None:
            return resting
        return np.where(judge_gate(self._gate, self._places.at(at)) == 1, resting, at + 1)

    def maintained_until(self, at: int) -> Ints:
        """Return until when devices are worked on; windows that ended within a day are included."""
        if not len(self._owner):
            return self._nobody
        known = (self._from <= at) & (self._until > at - REMEMBERED_US)
        until = self._nobody.copy()
        np.maximum.at(until, self._owner[known], self._until[known])
        return until
