"""Rules in the database: put definitions there as versions, read the active ones back, mark one broken.

A version is never altered: a changed rule is a new version, and alerts keep the one they were opened by.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from devices.registry.generation import advance
from rules.definition.definition import Definition
from rules.definition.errors import RulesRefused
from rules.definition.families import Behind, ChildrenDown, Forecast
from rules.language.program import Rule
from rules.loading.files import parse_stored
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What applying definitions changed, by rule id."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRules:
    """The rules in force.

    rules: usable ones. broken: ids that are marked broken. unusable: reason by rule whose stored text this
    program does not understand. broken_since: when the version before a usable rule's broke (microseconds).
    """

    rules: tuple[Rule, ...]
    broken: Mapping[str, str] = field(default_factory=dict)
    unusable: Mapping[tuple[str, int], str] = field(default_factory=dict)
    broken_since: Mapping[str, int] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[Rule]:
        """Return the stream rules of a kind, those for any kind included."""
        return [r for r in self.rules if r.definition.kind in (kind, None) and r.definition.levels]

    def silent(self) -> list[Rule]:
        """Return the sweep rules about silence."""
        return [r for r in self.rules if r.definition.silent is not None]

    def sweeps(self) -> list[Rule]:
        """Return the other sweep rules."""
        return [r for r in self.rules if r.definition.sweep is not None]


_LOCK = "LOCK TABLE rule IN SHARE ROW EXCLUSIVE MODE"

_ACTIVE = """
SELECT id, version, definition, broken_at, broken_reason
FROM rule
WHERE active
ORDER BY id
"""

_VERSIONS = "SELECT id, max(version) AS version FROM rule GROUP BY id"

_DEACTIVATE = "UPDATE rule SET active = false WHERE id = ANY($1::text []) AND active"

_ADD = """
INSERT INTO rule
    (id, version, kind, definition, created_at, family, suppress_by, settle, labels, measurement, reaches,
    severities, work_from, verify_within)
VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""


async def apply(
    connection: Connection, definitions: Iterable[Definition], now: int, *, remove_others: bool = False
) -> ApplyResult:
    """Make definitions the active rules and advance the generation, so that running evaluators load them.

    Args:
        definitions: checked ones; their files were refused otherwise.
        now: microseconds since 1970-01-01Z.
        remove_others: deactivate active rules that are not among them.
    """
    wanted = {d.id: d for d in definitions}
    async with connection.transaction():
        await connection.execute(_LOCK)
        active = {r["id"]: r["definition"] for r in await connection.fetch(_ACTIVE)}
        versions = {r["id"]: r["version"] for r in await connection.fetch(_VERSIONS)}
        unchanged = [i for i, d in wanted.items() if i in active and active[i] == d.source]
        renewed = [d for i, d in wanted.items() if i not in unchanged]
        removed = [i for i in active if i not in wanted] if remove_others else []
        await connection.execute(_DEACTIVATE, [*removed, *(d.id for d in renewed)])
        for d in renewed:
            await _add(connection, d, versions.get(d.id, 0) + 1, now)
        if renewed or removed:
            await advance(connection)
    return ApplyResult(
        added=tuple(d.id for d in renewed if d.id not in active),
        changed=tuple(d.id for d in renewed if d.id in active),
        unchanged=tuple(unchanged),
        removed=tuple(removed),
    )


async def _add(connection: Connection, definition: Definition, version: int, now: int) -> None:
    """Store a version; what other statements ask of it stands in columns, so that none parses its text."""
    sweep = definition.sweep
    await connection.execute(
        _ADD,
        definition.id,
        version,
        definition.kind,
        json.dumps(definition.source, ensure_ascii=False),
        to_datetime(now),
        definition.family,
        definition.suppress_by,
        timedelta(microseconds=definition.settle_us),
        definition.labels,
        None if sweep is None or isinstance(sweep, Behind | ChildrenDown) else sweep.measurement,
        sweep.reaches if isinstance(sweep, Forecast) else None,
        definition.severities,
        definition.work.from_severity,
        None if definition.work.verify_within is None else str(definition.work.verify_within),
    )


_BROKEN_BEFORE = """
SELECT DISTINCT ON (id) id, broken_at
FROM rule
WHERE NOT active
ORDER BY id, version DESC
"""


async def active(connection: Connection, kinds: Mapping[str, Kind]) -> ActiveRules:
    """Return the rules in force; one that cannot be used does not affect the others."""
    rules: list[Rule] = []
    broken: dict[str, str] = {}
    unusable: dict[tuple[str, int], str] = {}
    for row in await connection.fetch(_ACTIVE):
        if row["broken_at"] is not None:
            broken[row["id"]] = row["broken_reason"]
            continue
        try:
            definition = parse_stored(row["definition"], kinds)
        except RulesRefused as refused:
            unusable[row["id"], row["version"]] = str(refused)
        else:
            rules.append(Rule(definition=definition, version=row["version"]))
    since = {r["id"]: r["broken_at"] for r in await connection.fetch(_BROKEN_BEFORE)}
    return ActiveRules(
        rules=tuple(rules),
        broken=broken,
        unusable=unusable,
        broken_since={r.id: to_microseconds(at) for r in rules if (at := since.get(r.id)) is not None},
    )


_MARK_BROKEN = """
WITH marked AS (
    UPDATE rule SET broken_at = $3, broken_reason = $4
    WHERE id = $1 AND version = $2 AND broken_at IS NULL
    RETURNING id
)
SELECT pg_notify('nabd_alert', '') FROM marked
"""


async def mark_broken(connection: Connection, rule: str, version: int, since: int, reason: str) -> None:
    """Take a rule out of service until a new version is applied; what is marked already stays as it is.

    Args:
        since: receive time of the first reading it missed, microseconds since 1970-01-01Z.
        reason: shown to people.
    """
    await connection.execute(_MARK_BROKEN, rule, version, to_datetime(since), reason[:2000])
