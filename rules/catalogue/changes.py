"""Changes of rules as the audit has them: the version before and the version after, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import asyncpg

from store import audit
from store.audit import Actor, AuditedChange
from store.connection import Connection

RuleAction = Literal["applied", "enabled", "disabled", "shadowed", "promoted", "dropped"]

VERBS: Mapping[RuleAction, str] = {
    "applied": "apply",
    "enabled": "enable",
    "disabled": "disable",
    "shadowed": "shadow",
    "promoted": "promote",
    "dropped": "drop",
}

_STATES = """
SELECT asked.rule, newest.version, newest.active, newest.definition, former.version AS former_version,
    former.definition AS former_definition, shadow.definition AS shadow
FROM unnest($1::text []) WITH ORDINALITY AS asked (rule, position)
LEFT JOIN LATERAL (
    SELECT version, active, definition FROM rule WHERE id = asked.rule ORDER BY version DESC LIMIT 1
) AS newest ON true
LEFT JOIN rule AS former ON asked.rule = former.id AND former.version = newest.version - 1
LEFT JOIN LATERAL (
    SELECT definition FROM rule_shadow WHERE rule = asked.rule ORDER BY id DESC LIMIT 1
) AS shadow ON true
ORDER BY asked.position
"""


async def record(
    connection: Connection, rules: Sequence[str], action: RuleAction, *, by: Actor, now: int
) -> None:
    """Record in the audit what was done to rules, within the transaction that did it.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    if not rules:
        return
    changes = [_change(row, action) for row in await connection.fetch(_STATES, list(rules))]
    await audit.record_many(connection, changes, by=by, now=now)


def _change(row: asyncpg.Record, action: RuleAction) -> AuditedChange:
    before, after = _difference(row, action)
    return AuditedChange(
        municipality=None, action=f"rule.{VERBS[action]}", subject=row["rule"], before=before, after=after
    )


def _difference(
    row: asyncpg.Record, action: RuleAction
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    version = row["version"]
    match action:
        case "shadowed":
            return None, {"definition": row["shadow"]}
        case "dropped":
            return {"definition": row["shadow"]}, None
        case "disabled":
            return {"version": version, "active": True}, {"version": version, "active": False}
    if row["former_version"] is None:
        return None, {"version": version, "definition": row["definition"]}
    before, after = audit.differing(row["former_definition"], row["definition"])
    former = {"version": row["former_version"], "definition": before}
    return former, {"version": version, "definition": after}
