"""Which sweep over arrays judges the devices of one kind by a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from devices.kinds.kind import Kind
from devices.registry.life import Life
from devices.registry.registry import Device, Registry
from devices.registry.relays import above
from rules.definition.definition import Definition
from rules.definition.families import (
    ANY_KIND,
    Behind,
    ChildrenApart,
    ChildrenDown,
    Forecast,
    Neighbours,
    NotRefreshed,
)
from rules.language.program import Rule
from rules.maintenance.spans import Spans
from rules.sweeps.arrays.array_sweep import ArraySweep
from rules.sweeps.arrays.behind import BehindOverArrays
from rules.sweeps.arrays.children_apart import ChildrenApartOverArrays
from rules.sweeps.arrays.children_down import ChildrenDownOverArrays, ParentLink
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
            links = _links(rule.definition, registry, devices)
            children = [d for d in devices if d.id in {link.child for link in links}]
            return ChildrenDownOverArrays(
                rule,
                kind,
                SweptDevices.of(registry, children, maintenance),
                SweptDevices.of(registry, _parents(registry, links), maintenance),
                caught_up_at,
                links,
            )
        case ChildrenApart():
            first = {link.child: link for link in reversed(_links(rule.definition, registry, devices))}
            children = [d for d in devices if d.id in first]
            swept = SweptDevices.of(registry, children, maintenance)
            hung = np.array([first[d.id].parent for d in children], dtype=np.int64)
            return ChildrenApartOverArrays(
                rule,
                kind,
                replace(swept, parent=hung),
                SweptDevices.of(registry, _parents(registry, list(first.values())), maintenance),
            )
        case Neighbours():
            return NeighboursOverArrays(rule, kind, swept)
        case NotRefreshed():
            return NotRefreshedOverArrays(rule, kind, swept)
        case Behind():
            return BehindOverArrays()
        case Forecast():
            return ForecastOverArrays(rule, kind, swept)


def _links(definition: Definition, registry: Registry, children: Sequence[Device]) -> list[ParentLink]:
    """Return what hangs on devices of the rule's kind that are in use."""
    found: list[ParentLink] = []
    for child in children:
        alone = {one.id for one in above(registry, child)}
        ids = [child.parent_id, *(registry.by_name[n].id for n in child.relays if n in registry.by_name)]
        parents = [registry.devices[i] for i in ids if i is not None and i in registry.devices]
        found += [
            ParentLink(child=child.id, parent=parent.id, alone=parent.id in alone)
            for parent in parents
            if parent.kind == definition.kind and parent.life is Life.INSTALLED
        ]
    return found


def _parents(registry: Registry, links: Sequence[ParentLink]) -> list[Device]:
    return [registry.devices[i] for i in dict.fromkeys(link.parent for link in links)]
