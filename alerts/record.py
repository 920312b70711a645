"""Stores transitions: rows of alerts and transitions, and one NOTIFY, in the caller's transaction.

A partial unique index allows one open alert per rule and device: opening one that is open, or
resolving one that is not, changes nothing and stores no transition. No statement runs when there is
nothing to record.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import asyncpg

from alerts.acknowledgement import BY_SEVERITY
from alerts.transition import ConditionState, Transition
from devices.instants import to_datetime
from store.connection import Connection

Describe = Callable[[Transition], Mapping[str, str]]
"""Renders the sentence of a transition in every language."""

# An alert that an open one explains (alerts.suppression) is inhibited from the start.
OPEN = """
INSERT INTO alert
    (rule, rule_version, device_id, state, severity, opened_at, detected_at, summary, evidence,
    inhibited_by, held_until)
SELECT opened.rule, opened.version, opened.device_id, 'firing', opened.severity, opened.observed_at, $1,
    opened.summary::jsonb, opened.evidence::jsonb,
    (
        WITH RECURSIVE above AS (
            SELECT opened.device_id AS id, 0 AS depth
            UNION
            SELECT hangs_on.parent_id, above.depth + 1
            FROM above
            INNER JOIN hangs_on ON above.id = hangs_on.device_id
            WHERE above.depth < 3 AND rule.suppress_by <> '{}'
                AND (hangs_on.alone OR cut_off(hangs_on.device_id, rule.suppress_by))
        )
        SELECT parent.id
        FROM above
        INNER JOIN alert AS parent ON above.id = parent.device_id
        WHERE parent.state = 'firing' AND parent.rule = ANY(rule.suppress_by)
        ORDER BY parent.id LIMIT 1
    ),
    CASE WHEN rule.suppress_by <> '{}' THEN $1::timestamptz + rule.settle END
FROM unnest($2::text[], $3::int[], $4::int[], $5::text[], $6::timestamptz[], $7::text[], $8::text[])
    AS opened (rule, version, device_id, severity, observed_at, summary, evidence)
LEFT JOIN rule ON rule.id = opened.rule AND rule.version = opened.version
ON CONFLICT (rule, device_id) WHERE state = 'firing' DO NOTHING
RETURNING id, rule, device_id
"""

# Whoever has seen an alert has not seen that it is worse now: the acknowledgement lapses.
CHANGE_SEVERITY = """
WITH ranked AS (
    SELECT * FROM unnest(ARRAY['warning', 'minor', 'major', 'critical']) WITH ORDINALITY AS s (severity, rank)
), changing AS (
    SELECT alert.id, changed.severity, changed.summary, changed.evidence,
        alert.acknowledged_at IS NOT NULL AND above.rank > present.rank AS lapses
    FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[])
        AS changed (rule, device_id, severity, summary, evidence)
    JOIN alert ON alert.rule = changed.rule AND alert.device_id = changed.device_id
        AND alert.state = 'firing' AND alert.severity <> changed.severity
    JOIN ranked AS above ON above.severity = changed.severity
    JOIN ranked AS present ON present.severity = alert.severity
    ORDER BY alert.id FOR UPDATE OF alert
), lapsed AS (
    INSERT INTO alert_note (alert_id, type, body, created_at)
    SELECT id, 'lapsed', $6, $7 FROM changing WHERE lapses ORDER BY id
)
UPDATE alert SET severity = changing.severity, summary = changing.summary::jsonb,
    evidence = changing.evidence::jsonb,
    acknowledged_at = CASE WHEN NOT lapses THEN acknowledged_at END,
    acknowledger_id = CASE WHEN NOT lapses THEN acknowledger_id END
FROM changing
WHERE alert.id = changing.id
RETURNING alert.id, alert.rule, alert.device_id
"""

RESOLVE = """
UPDATE alert SET state = 'resolved', resolved_at = ended.observed_at
FROM unnest($1::text[], $2::int[], $3::timestamptz[]) AS ended (rule, device_id, observed_at)
WHERE alert.rule = ended.rule AND alert.device_id = ended.device_id AND alert.state = 'firing'
RETURNING alert.id, alert.rule, alert.device_id
"""

INSERT_TRANSITIONS = """
INSERT INTO transition
    (alert_id, from_state, to_state, severity, observed_at, received_at, detected_at, evidence)
SELECT alert_id, from_state, to_state, severity, observed_at, received_at, $1, evidence::jsonb
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
    $7::timestamptz[], $8::text[]) WITH ORDINALITY AS changed
    (alert_id, from_state, to_state, severity, observed_at, received_at, evidence, position)
ORDER BY position
"""

NOTIFY = "SELECT pg_notify('nabd_alert', '')"

Key = tuple[str, int]


async def record(
    connection: Connection, transitions: Sequence[Transition], describe: Describe, now: int
) -> int:
    """Store transitions, given in the order they happened, and return how many were new.

    Args:
        connection: inside the transaction that stores the readings.
        transitions: of any number of rules and devices.
        describe: renders summaries; called for what opens or changes severity.
        now: detected_at of the transitions, microseconds since 1970-01-01Z.
    """
    stored: list[tuple[int, Transition]] = []
    for wave in _waves(transitions):
        alerts = await _apply(connection, wave, describe, now)
        stored += [(alerts[key], t) for t in wave if (key := (t.rule, t.device_id)) in alerts]
    if stored:
        await connection.execute(INSERT_TRANSITIONS, to_datetime(now), *_transition_columns(stored))
        await connection.execute(NOTIFY)
    return len(stored)


def _waves(transitions: Iterable[Transition]) -> list[list[Transition]]:
    """Split into lists with at most one transition per rule and device each, order kept."""
    seen: dict[Key, int] = defaultdict(int)
    waves: list[list[Transition]] = []
    for transition in transitions:
        key = (transition.rule, transition.device_id)
        if seen[key] == len(waves):
            waves.append([])
        waves[seen[key]].append(transition)
        seen[key] += 1
    return waves


async def _apply(
    connection: Connection, wave: Sequence[Transition], describe: Describe, now: int
) -> dict[Key, int]:
    """Bring table `alert` up to date and return the ids of the alerts that changed."""
    ended = [t for t in wave if t.to_state is ConditionState.RESOLVED]
    changed = [t for t in wave if t.from_state is t.to_state is ConditionState.FIRING]
    opened = [t for t in wave if t.opens]
    rows: list[asyncpg.Record] = []
    if ended:
        rows += await connection.fetch(RESOLVE, *_keys(ended), [to_datetime(t.observed_at) for t in ended])
    if changed:
        rows += await connection.fetch(
            CHANGE_SEVERITY,
            *_keys(changed),
            [t.severity for t in changed],
            *_texts(changed, describe),
            BY_SEVERITY,
            to_datetime(now),
        )
    if opened:
        rules, devices = _keys(opened)
        rows += await connection.fetch(
            OPEN,
            to_datetime(now),
            rules,
            [t.version for t in opened],
            devices,
            [t.severity for t in opened],
            [to_datetime(t.observed_at) for t in opened],
            *_texts(opened, describe),
        )
    return {(row["rule"], row["device_id"]): row["id"] for row in rows}


def _keys(transitions: Sequence[Transition]) -> tuple[list[str], list[int]]:
    return [t.rule for t in transitions], [t.device_id for t in transitions]


def _texts(transitions: Sequence[Transition], describe: Describe) -> tuple[list[str], list[str]]:
    summaries = [json.dumps(dict(describe(t)), ensure_ascii=False) for t in transitions]
    return summaries, [_evidence(t) for t in transitions]


def _evidence(transition: Transition) -> str:
    return json.dumps(dict(transition.evidence), ensure_ascii=False, allow_nan=False)


def _transition_columns(stored: Sequence[tuple[int, Transition]]) -> tuple[list[object], ...]:
    return (
        [alert for alert, _ in stored],
        [t.from_state for _, t in stored],
        [t.to_state for _, t in stored],
        [t.severity for _, t in stored],
        [to_datetime(t.observed_at) for _, t in stored],
        [to_datetime(t.received_at) for _, t in stored],
        [_evidence(t) for _, t in stored],
    )
