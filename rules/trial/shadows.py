"""Shadows in the database: put a rule on trial, promote or drop it, compare it with the live rule.

A shadow is a text of a rule that is evaluated on every batch and never alerts. One per rule at a time.
Must not know how it is evaluated (rules.trial.consumer).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from devices.registry.errors import Invalid, NotFound
from devices.registry.generation import advance
from rules.catalogue import editing
from rules.definition.definition import Definition
from rules.definition.errors import RulesRefused
from rules.engine.snapshot import OpenAlert
from rules.language.program import Rule
from rules.loading.files import parse, parse_stored
from rules.trial import backtest
from rules.trial.episodes import Episode, Episodes
from store.audit import Actor
from store.connection import Connection
from store.expiry import ExpiringRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A rule on trial since `created_at`; what it did before `pruned_until` is no longer known."""

    id: int
    rule: str
    kind: str
    definition: Mapping[str, Any]
    author: str
    created_at: datetime
    broken_at: datetime | None
    broken_reason: str | None
    pruned_until: datetime | None

    @property
    def known_since(self) -> int:
        """Since when all it did is known, microseconds."""
        return to_microseconds(max(self.created_at, self.pruned_until or self.created_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a shadow and the live rule did since the shadow began, as far as that is still known."""

    shadow: Shadow
    shadowed: tuple[Episode, ...]
    live: tuple[Episode, ...]


_REPLACE = "UPDATE rule_shadow SET ended_at = $2, outcome = 'replaced' WHERE rule = $1 AND ended_at IS NULL"

_ADD = """
INSERT INTO rule_shadow (rule, kind, definition, author_id, created_at)
VALUES ($1, $2, $3::text::jsonb, $4, $5)
"""


async def add(connection: Connection, definitions: Sequence[Definition], *, by: Actor, now: int) -> None:
    """Put definitions on trial; a shadow of the same rule ends.

    Raises:
        Invalid: one of them does not judge readings; only those that do can run beside a live rule.
    """
    for d in definitions:
        if not d.levels or d.kind is None:
            raise Invalid(d.id, "only rules with levels can be shadows: they judge each reading")
    async with connection.transaction():
        for d in definitions:
            await connection.execute(_REPLACE, d.id, to_datetime(now))
            source = json.dumps(d.source, ensure_ascii=False)
            await connection.execute(_ADD, d.id, d.kind, source, by.principal, to_datetime(now))
        await advance(connection)
        await editing.note(connection, [d.id for d in definitions], "shadowed", by=by, now=now)


_END = """
UPDATE rule_shadow SET ended_at = $2, outcome = $3 WHERE rule = $1 AND ended_at IS NULL RETURNING definition
"""


async def drop(connection: Connection, rule: str, *, by: Actor, now: int) -> None:
    """End a trial; what it recorded stays.

    Raises:
        NotFound: the rule has no shadow.
    """
    async with connection.transaction():
        await _end(connection, rule, "dropped", now)
        await advance(connection)
        await editing.note(connection, [rule], "dropped", by=by, now=now)


async def promote(
    connection: Connection, kinds: Mapping[str, Kind], rule: str, *, by: Actor, now: int
) -> int:
    """Put a shadow into force in place of the live rule and return its version; open alerts stay.

    Raises:
        NotFound: the rule has no shadow.
        rules.definition.errors.RulesRefused: this program does not understand it any more.
    """
    async with connection.transaction():
        source = await _end(connection, rule, "promoted", now)
        definitions = parse(json.dumps(source, ensure_ascii=False), kinds)
        await editing.apply(connection, definitions, by=by, now=now)
        # Also when the text was in force already: the shadow itself is gone.
        await advance(connection)
        await editing.note(connection, [rule], "promoted", by=by, now=now)
        return await editing.newest(connection, rule)


async def _end(connection: Connection, rule: str, outcome: str, now: int) -> Mapping[str, Any]:
    source: Mapping[str, Any] | None = await connection.fetchval(_END, rule, to_datetime(now), outcome)
    if source is None:
        raise NotFound("shadow of a rule", rule, "`nabd rule shadow` lists them")
    return source


_ON_TRIAL = """
SELECT s.id, s.rule, s.kind, s.definition, author.name AS author, s.created_at, s.broken_at, s.broken_reason,
    s.pruned_until
FROM rule_shadow AS s
INNER JOIN named_principal AS author ON s.author_id = author.id
WHERE s.ended_at IS NULL AND ($1::text IS NULL OR s.rule = $1)
ORDER BY s.rule
"""


async def on_trial(connection: Connection, rule: str | None = None) -> list[Shadow]:
    """Return the shadows there are, or that of one rule."""
    return [Shadow(**dict(row)) for row in await connection.fetch(_ON_TRIAL, rule)]


async def usable(connection: Connection, kinds: Mapping[str, Kind]) -> dict[str, list[Rule]]:
    """Return the shadows to evaluate by kind; their version is the number of the shadow."""
    rules: dict[str, list[Rule]] = {name: [] for name in kinds}
    for shadow in await on_trial(connection):
        if shadow.broken_at is not None or shadow.kind not in kinds:
            continue
        try:
            definition = parse_stored(shadow.definition, kinds)
        except RulesRefused:
            continue
        rules[shadow.kind].append(Rule(definition=definition, version=shadow.id))
    return rules


_FIRING = """
SELECT * FROM (
    SELECT DISTINCT ON (t.shadow_id, t.device_id) shadow.rule, t.device_id, t.severity, t.to_state
    FROM shadow_transition AS t
    INNER JOIN rule_shadow AS shadow ON t.shadow_id = shadow.id
    WHERE shadow.ended_at IS NULL AND shadow.kind = $1
    ORDER BY t.shadow_id, t.device_id, t.id DESC
) AS newest
WHERE to_state = 'firing'
"""


async def firing(connection: Connection, kind: str) -> list[OpenAlert]:
    """Return what is firing by the shadows of a kind."""
    return [
        OpenAlert(rule=row["rule"], device_id=row["device_id"], severity=Severity(row["severity"]))
        for row in await connection.fetch(_FIRING, kind)
    ]


_RECORD = """
INSERT INTO shadow_transition
    (shadow_id, device_id, from_state, to_state, severity, observed_at, received_at, detected_at, evidence)
SELECT shadow_id, device_id, from_state, to_state, severity, observed_at, received_at, $1, evidence::jsonb
FROM unnest($2::integer [], $3::integer [], $4::text [], $5::text [], $6::text [], $7::timestamptz [],
    $8::timestamptz [], $9::text []) WITH ORDINALITY
    AS changed
    (shadow_id, device_id, from_state, to_state, severity, observed_at, received_at, evidence, position)
ORDER BY position
"""


async def record(connection: Connection, transitions: Sequence[Transition], now: int) -> None:
    """Store what shadows would have done, given in the order it happened, without NOTIFY."""
    await connection.execute(
        _RECORD,
        to_datetime(now),
        [t.version for t in transitions],
        [t.device_id for t in transitions],
        [t.from_state for t in transitions],
        [t.to_state for t in transitions],
        [t.severity for t in transitions],
        [to_datetime(t.observed_at) for t in transitions],
        [to_datetime(t.received_at) for t in transitions],
        [json.dumps(dict(t.evidence), ensure_ascii=False, allow_nan=False) for t in transitions],
    )


_BREAK = """
UPDATE rule_shadow SET broken_at = $2, broken_reason = $3 WHERE id = $1 AND broken_at IS NULL
"""


async def mark_broken(connection: Connection, shadow: int, reason: str, now: int) -> None:
    """Stop evaluating a shadow that raised."""
    await connection.execute(_BREAK, shadow, to_datetime(now), reason[:2000])


_TRANSITIONS = """
SELECT device_id, from_state, to_state, severity, observed_at, received_at
FROM shadow_transition
WHERE shadow_id = $1
ORDER BY id
"""


async def trial(connection: Connection, rule: str, now: int) -> Trial:
    """Return what a shadow and its live rule did until now.

    Raises:
        NotFound: the rule has no shadow.
    """
    found = await on_trial(connection, rule)
    if not found:
        raise NotFound("shadow of a rule", rule, "`nabd rule shadow` lists them")
    shadow = found[0]
    episodes = Episodes()
    for row in await connection.fetch(_TRANSITIONS, shadow.id):
        episodes.add(_transition(shadow, row))
    live = await backtest.live_episodes(connection, rule, start=shadow.known_since, end=now + 1)
    return Trial(shadow=shadow, shadowed=episodes.all(), live=live)


def _transition(shadow: Shadow, row: asyncpg.Record) -> Transition:
    return Transition(
        rule=shadow.rule,
        version=shadow.id,
        device_id=row["device_id"],
        from_state=ConditionState(row["from_state"]),
        to_state=ConditionState(row["to_state"]),
        severity=Severity(row["severity"]),
        observed_at=to_microseconds(row["observed_at"]),
        received_at=to_microseconds(row["received_at"]),
    )


# Ids grow with time: old rows are found from the lowest id on, and no others are read. What still fires by a
# running shadow, or ended only lately, stays.
_PRUNE = """
WITH old AS (
    SELECT t.id
    FROM shadow_transition AS t
    INNER JOIN rule_shadow AS shadow ON t.shadow_id = shadow.id
    WHERE
        t.id < coalesce(
            (SELECT id FROM shadow_transition WHERE detected_at >= $1 ORDER BY id LIMIT 1),
            9223372036854775807
        )
        AND (
            shadow.ended_at < $1
            OR EXISTS (
                SELECT FROM shadow_transition AS ended
                WHERE
                    ended.shadow_id = t.shadow_id AND ended.device_id = t.device_id AND ended.id >= t.id
                    AND ended.to_state = 'resolved' AND ended.detected_at < $1
            )
        )
    ORDER BY t.id
    LIMIT $2
),

gone AS (
    DELETE FROM shadow_transition WHERE id IN (SELECT id FROM old) RETURNING shadow_id
),

noted AS (
    UPDATE rule_shadow SET pruned_until = $1
    WHERE id IN (SELECT shadow_id FROM gone)
    RETURNING id
)

SELECT count(*) FROM gone
"""
RESULTS = ExpiringRows(
    tables=("shadow_transition",),
    first="SELECT detected_at FROM shadow_transition ORDER BY id LIMIT 1",
    forget=_PRUNE,
)
"""What shadows would have done, which is of use for as long as there are readings to compare it with."""
