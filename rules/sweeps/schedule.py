"""How often each family of sweep rules looks. Must not know the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.definition.definition import Definition
from rules.definition.families import Behind, ChildrenApart, ChildrenDown, Forecast, Neighbours, NotRefreshed
from rules.language.program import Rule

TICK_US = 2_000_000
"""How often the leader sweeps unless told otherwise (nabd.processes)."""
_EVERY_US: Mapping[type, int] = {
    ChildrenDown: 10_000_000,
    ChildrenApart: 60_000_000,
    NotRefreshed: 60_000_000,
    Neighbours: 60_000_000,
    Forecast: 60_000_000,
    Behind: 60_000_000,
}
_UNHEARD_EVERY_US = 30_000_000


def every_us(definition: Definition) -> int:
    """Return how often a rule looks, on the clock of the readings; 0: at every sweep."""
    if definition.silent is not None and definition.silent.of != "heard":
        return _UNHEARD_EVERY_US
    return _EVERY_US.get(type(definition.sweep), 0)


@dataclass(slots=True)
class SweepSchedule:
    """When each rule looked last (microseconds), so that the dearer ones look less often."""

    looked_at: dict[str, int] = field(default_factory=dict)

    def is_due(self, rule: Rule, now: int) -> bool:
        """Tell whether a rule is to look now, and note that it does."""
        every = every_us(rule.definition)
        if now - self.looked_at.get(rule.id, now - every) < every:
            return False
        self.looked_at[rule.id] = now
        return True
