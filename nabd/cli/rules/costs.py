"""What rules cost to evaluate, as `check` and `apply` tell it."""

from __future__ import annotations

from collections.abc import Sequence

from rules.definition.definition import Definition
from rules.language.cost import MOST_COST, cost


def costs(definitions: Sequence[Definition]) -> dict[str, int]:
    """Return the passes over the columns of a batch that each rule takes, by its id."""
    return {definition.id: cost(definition) for definition in definitions}


def cost_sentence(definitions: Sequence[Definition]) -> str:
    """Return what rules cost together, and which is the dearest, for people."""
    found = costs(definitions)
    if not found:
        return f"cost: 0 of {MOST_COST}"
    dearest = max(found, key=lambda rule: found[rule])
    alone = f"cost: {found[dearest]} of {MOST_COST} passes over each batch"
    return alone if len(found) == 1 else f"{alone} for {dearest}, the dearest; {sum(found.values())} together"
