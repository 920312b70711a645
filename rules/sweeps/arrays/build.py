"""Which sweep over arrays judges the devices of one kind by a rule."""

from __future__ import annotations

from collections.abc import Sequence

from devices.kinds.kind import Kind
from devices.registry.life import Life
from devices.registry.registry import Device, Registry
from rules.definition.definition import Definition
from rules.definition.families import (
    ANY_KIND,
    ChildrenApart,
    ChildrenDown,
    Forecast,
    Neighbours,
    NotRefreshed,
)
from rules.language.program import Rule
from rules.maintenance.spans import Spans
from rules.sweeps.arrays.array_sweep import ArraySweep
from rules.sweeps.arrays.children_apart import ChildrenApartOverArrays
from rules.sweeps.arrays.children_down import ChildrenDownOverArrays
from rules.sweeps.arrays.forecast import ForecastOverArrays
from rules.sweeps.arrays.neighbours import NeighboursOverArrays
from rules.sweeps.arrays.not_refreshed import NotRefreshedOverArrays
from rules.sweeps.arrays.silent import SilentOverArrays
from rules.sweeps.arrays.swept_devices import SweptDevices


def reads_kind(definition: Definition, kind: str) -> bool:
    """Tell whether a rule judges by the readings of a kind; one about parents does by their children's."""
    if isinstance(definition.sweep, ChildrenDown | ChildrenApart):
        return definition.sweep.of in (kind, ANY_KIND)
    return definition.kind in (None, kind)


def over_arrays(
    rule: Rule,
    kind: Kind,
    registry: Registry,
    devices: Sequence[Device],
    maintenance: Spans,
    caught_up_at: int,
) -> ArraySweep:
    """Return a sweep rule over the devices of a kind whose readings it reads.

    Args:
        caught_up_at: since when everything that was sent is in the readings; microseconds.
    """
    swept = SweptDevices.of(registry, devices, maintenance)
    match rule.definition.sweep:
        case None:
            return SilentOverArrays(rule, kind, swept, caught_up_at)
        case ChildrenDown():
            parents = _parents(rule.definition, registry, devices)
            children = [d for d in devices if d.parent_id in {p.id for p in parents}]
            return ChildrenDownOverArrays(
                rule,
                kind,
                SweptDevices.of(registry, children, maintenance),
                SweptDevices.of(registry, parents, maintenance),
                caught_up_at,
            )
        case ChildrenApart():
            parents = _parents(rule.definition, registry, devices)
            children = [d for d in devices if d.parent_id in {p.id for p in parents}]
            return ChildrenApartOverArrays(
                rule,
                kind,
                SweptDevices.of(registry, children, maintenance),
                SweptDevices.of(registry, parents, maintenance),
            )
        case Neighbours():
            return NeighboursOverArrays(rule, kind, swept)
        case NotRefreshed():
            return NotRefreshedOverArrays(rule, kind, swept)
        case Forecast():
            return ForecastOverArrays(rule, kind, swept)


def _parents(definition: Definition, registry: Registry, children: Sequence[Device]) -> list[Device]:
    """Return what devices hang on, of the rule's kind and in use."""
    ids = dict.fromkeys(d.parent_id for d in children if d.parent_id is not None)
    parents = [registry.devices[i] for i in ids if i in registry.devices]
    return [p for p in parents if p.kind == definition.kind and p.life is Life.INSTALLED]
