"""Rules that never look at some devices, because nobody knows where those stand. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from rules.definition.definition import Definition
from rules.definition.families import ChildrenApart, ChildrenDown
from rules.definition.warning import RuleWarning
from store.connection import Connection

_UNPLACED = """
SELECT device.kind, count(*) AS devices, min(device.name) AS example
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE device.retired_at IS NULL AND device.installed_at IS NOT NULL
    AND (device.lat IS NULL OR device.lon IS NULL)
    AND (municipality.lat IS NULL OR municipality.lon IS NULL)
GROUP BY device.kind
ORDER BY device.kind
"""


def asks_for_the_sun(definition: Definition) -> bool:
    """Tell whether a rule looks by day or by night only."""
    return definition.when is not None and definition.when.sun is not None


async def warn_of_unplaced(connection: Connection, definitions: Sequence[Definition]) -> list[RuleWarning]:
    """Return a warning for each rule and kind with devices for which `when: {sun: ...}` is never decided."""
    asking = [d for d in definitions if asks_for_the_sun(d)]
    if not asking:
        return []
    unplaced = await connection.fetch(_UNPLACED)
    return [_warning(d, row) for d in asking for row in unplaced if _looks_at(d, row["kind"])]


def _looks_at(definition: Definition, kind: str) -> bool:
    family = definition.sweep
    return definition.kind in (None, kind) or (
        isinstance(family, ChildrenDown | ChildrenApart) and family.of == kind
    )


def _warning(definition: Definition, row: asyncpg.Record) -> RuleWarning:
    assert definition.when is not None
    return RuleWarning(
        rule=definition.id,
        message=(
            f"`when: {{sun: {definition.when.sun}}}` cannot be decided for {row['devices']} of kind"
            f" {row['kind']}, {row['example']} for one: neither they nor their municipality have coordinates,"
            " and the rule does not look at them"
        ),
    )
