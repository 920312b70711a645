"""Rules for people: a list, one with its text, and who changed what. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from devices.registry.errors import NotFound
from store.connection import Connection

RuleState = Literal["in force", "broken", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """One version of a rule. definition: as it was written. open_alerts: of all its versions, where
    the reader reads.

    shadow: since when another text of it is on trial.
    """

    id: str
    version: int
    kind: str | None
    state: RuleState
    created_at: datetime
    author: str
    definition: Mapping[str, Any]
    broken_at: datetime | None
    broken_reason: str | None
    open_alerts: int
    shadow: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """Who did what to a rule. author is empty where nobody is known: the rules a new database gets."""

    at: datetime
    version: int | None
    action: str
    author: str


_RULE = """
SELECT rule.id, rule.version, rule.kind, rule.created_at, rule.definition, rule.broken_at, rule.broken_reason,
    CASE WHEN NOT rule.active THEN 'disabled' WHEN rule.broken_at IS NULL THEN 'in force' ELSE 'broken'
        END AS state,
    coalesce((
        SELECT author.name FROM rule_change AS change
        INNER JOIN named_principal AS author ON change.author_id = author.id
        WHERE change.rule = rule.id AND change.version = rule.version
            AND change.action IN ('applied', 'promoted', 'enabled')
        ORDER BY change.id LIMIT 1
    ), '') AS author,
    (
        SELECT count(*) FROM alert
        WHERE alert.rule = rule.id AND alert.state = 'firing' AND ($1::text [] IS NULL OR EXISTS (
            SELECT FROM device
            INNER JOIN municipality AS m ON m.name = ANY($1) AND m.id = CASE
                WHEN device.moved_at > alert.opened_at THEN municipality_at(device, alert.opened_at)
                ELSE device.municipality_id
            END
            WHERE device.id = alert.device_id
        ))
    ) AS open_alerts,
    (SELECT shadow.created_at FROM rule_shadow AS shadow
        WHERE shadow.rule = rule.id AND shadow.ended_at IS NULL) AS shadow
FROM rule
"""

_LIST = f"""{_RULE}
WHERE rule.version = (SELECT max(other.version) FROM rule AS other WHERE other.id = rule.id)
    AND ($2 OR rule.active)
    AND rule.family <> 'external'
    AND ($3::text IS NULL OR rule.kind = $3)
    AND ($4::text IS NULL OR rule.id > $4)
ORDER BY rule.id
LIMIT $5
"""  # noqa: S608 - both parts are constants


async def list_rules(
    connection: Connection,
    *,
    disabled: bool = False,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 1000,
    within: Sequence[str] | None = None,
) -> list[StoredRule]:
    """Return the newest version of each rule by id; those out of force too if `disabled`.

    Args:
        within: municipalities in which open alerts are counted; None: all.
    """
    return [_stored(row) for row in await connection.fetch(_LIST, within, disabled, kind, after, limit)]


_ONE = f"""{_RULE}
WHERE rule.id = $2 AND rule.family <> 'external' AND ($3::integer IS NULL OR rule.version = $3)
ORDER BY version DESC LIMIT 1
"""


async def get_rule(
    connection: Connection, rule: str, version: int | None = None, *, within: Sequence[str] | None = None
) -> StoredRule:
    """Return one version of a rule, the newest if none is named; `within`: as for the list.

    Raises:
        NotFound: there is no such rule or version.
    """
    row = await connection.fetchrow(_ONE, within, rule, version)
    if row is None:
        name = rule if version is None else f"{rule} version {version}"
        raise NotFound("rule", name, "`nabd rule list --all` shows them")
    return _stored(row)


_SOURCES = "SELECT id, definition FROM rule WHERE active ORDER BY id"


async def sources(connection: Connection) -> dict[str, Mapping[str, Any]]:
    """Return the text of every rule in force, broken ones too."""
    return {row["id"]: row["definition"] for row in await connection.fetch(_SOURCES)}


_HISTORY = """
SELECT c.changed_at AS at, c.version, c.action, author.name AS author
FROM rule_change AS c
INNER JOIN named_principal AS author ON c.author_id = author.id
WHERE c.rule = $1
UNION ALL
SELECT created_at, version, 'applied', '' FROM rule
WHERE id = $1 AND NOT EXISTS (
    SELECT FROM rule_change AS change
    WHERE change.rule = rule.id AND change.version = rule.version
        AND change.action IN ('applied', 'promoted', 'enabled')
)
UNION ALL
SELECT broken_at, version, 'broken', '' FROM rule WHERE id = $1 AND broken_at IS NOT NULL
ORDER BY at, version
"""


async def history(connection: Connection, rule: str) -> list[RuleChange]:
    """Return everything that was done to a rule, oldest first.

    Raises:
        NotFound: there is no such rule.
    """
    rows = await connection.fetch(_HISTORY, rule)
    if not rows:
        raise NotFound("rule", rule, "`nabd rule list --all` shows them")
    return [RuleChange(**dict(row)) for row in rows]


def _stored(row: asyncpg.Record) -> StoredRule:
    return StoredRule(**dict(row))
