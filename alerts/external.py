"""Alerts of other systems: they open, change and end here as those of rules do.

Each has labels; the same labels are the same thing, said again. Alerts of one name on one device are one
alert, open while one of them holds and as bad as the worst. One holds until its sender ends it, or until the
time that its sender gave has passed without a word. Must not know how they are sent, nor by whom.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from alerts.record import record
from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_datetime, to_microseconds
from devices.storable import storable
from devices.texts.languages import LANGUAGES
from store.connection import Connection

FAMILY = "external"
"""What their rules judge: nothing; somebody else does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalAlert:
    """What another system says of a device. ends_at: until when it holds unless it is said again.

    rule: as it is listed here. said: the sentence, in the sender's language.
    """

    rule: str
    device_id: int
    severity: Severity
    said: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    generator_url: str
    starts_at: datetime
    ends_at: datetime

    @property
    def fingerprint(self) -> bytes:
        """The same for the same labels."""
        return hashlib.sha256(json.dumps(sorted(self.labels.items())).encode()).digest()


Key = tuple[str, int]
"""Rule and device of an alert."""

_LOCK = "LOCK TABLE external_alert IN SHARE ROW EXCLUSIVE MODE"
_RULES = """
INSERT INTO rule (id, version, kind, definition, active, created_at, family, severities)
SELECT asked.id, 1, NULL, '{}', false, $2, $3, '{warning,minor,major,critical}'
FROM unnest($1::text []) AS asked (id)
ON CONFLICT DO NOTHING
"""
# What has ended and was never heard of is no news.
_KEEP = """
INSERT INTO external_alert AS kept (
    rule, device_id, fingerprint, severity, labels, annotations, generator_url, starts_at, ends_at
)
SELECT s.rule, s.device_id, s.fingerprint, s.severity, s.labels, s.annotations, s.generator_url, s.starts_at,
    s.ends_at
FROM unnest(
    $2::text [], $3::integer [], $4::bytea [], $5::text [], $6::jsonb [], $7::jsonb [], $8::text [],
    $9::timestamptz [], $10::timestamptz []
) AS s (rule, device_id, fingerprint, severity, labels, annotations, generator_url, starts_at, ends_at)
WHERE s.ends_at > $1 OR EXISTS (
    SELECT FROM external_alert AS known
    WHERE known.rule = s.rule AND known.device_id = s.device_id AND known.fingerprint = s.fingerprint
)
ON CONFLICT (rule, device_id, fingerprint) DO UPDATE SET
    severity = excluded.severity, labels = excluded.labels, annotations = excluded.annotations,
    generator_url = excluded.generator_url, ends_at = excluded.ends_at,
    starts_at = least(kept.starts_at, excluded.starts_at)
"""


async def receive(connection: Connection, said: Sequence[ExternalAlert], now: int) -> int:
    """Take what another system says, all of it or none, and return how many transitions that made.

    Args:
        said: of the same labels the last counts.
        now: microseconds since 1970-01-01Z.
    """
    latest = {(one.rule, one.device_id, one.fingerprint): one for one in said}
    columns = [
        (
            s.rule, s.device_id, s.fingerprint, s.severity, dict(s.labels), dict(s.annotations),
            s.generator_url, s.starts_at, s.ends_at,
        )
        for s in latest.values()
    ]  # fmt: skip
    if not columns:
        return 0
    rules = sorted({one.rule for one in said})
    async with connection.transaction():
        await connection.execute(_RULES, rules, to_datetime(now), FAMILY)
        await connection.execute(_LOCK)
        await connection.execute(_KEEP, to_datetime(now), *map(list, zip(*columns, strict=True)))
        keys = {(one.rule, one.device_id) for one in said}
        sentences = {(one.rule, one.device_id): one.said for one in said}
        return await _settle(connection, keys, sentences, now)


_INSTALLED = """
SELECT device.name, device.id, municipality.name AS town
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE device.name = ANY($1::text []) AND device.installed_at IS NOT NULL AND device.retired_at IS NULL
"""


async def installed(connection: Connection, names: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return number and municipality of those of the devices that stand in the street, by name."""
    rows = await connection.fetch(_INSTALLED, [storable(name) for name in names])
    return {row["name"]: (row["id"], row["town"]) for row in rows}


_ENDED = "SELECT DISTINCT rule, device_id FROM external_alert WHERE ends_at <= $1"


async def end_external(connection: Connection, now: int) -> int:
    """End what no sender has said again in time, and return how many transitions that made.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    if not await connection.fetch(_ENDED, to_datetime(now)):
        return 0
    async with connection.transaction():
        await connection.execute(_LOCK)
        keys = {(row["rule"], row["device_id"]) for row in await connection.fetch(_ENDED, to_datetime(now))}
        return await _settle(connection, keys, None, now)


_HELD = """
SELECT e.rule, e.device_id, e.severity, e.labels, e.annotations, e.generator_url, e.starts_at, e.ends_at
FROM external_alert AS e
INNER JOIN unnest($1::text [], $2::integer []) AS asked (rule, device_id)
    ON e.rule = asked.rule AND e.device_id = asked.device_id
"""
_OPEN = """
SELECT alert.rule, alert.device_id, alert.severity, alert.opened_at, alert.summary
FROM alert
INNER JOIN unnest($1::text [], $2::integer []) AS asked (rule, device_id)
    ON alert.rule = asked.rule AND alert.device_id = asked.device_id
WHERE alert.state = 'firing'
FOR UPDATE OF alert
"""
_FORGET = """
DELETE FROM external_alert AS e
USING unnest($1::text [], $2::integer []) AS settled (rule, device_id)
WHERE e.rule = settled.rule AND e.device_id = settled.device_id AND e.ends_at <= $3
"""


async def _settle(
    connection: Connection, keys: Collection[Key], sentences: Mapping[Key, str] | None, now: int
) -> int:
    """Bring alerts to what holds; without sentences none opens: nobody has just said that something holds."""
    asked = [rule for rule, _ in keys], [device for _, device in keys]
    held: defaultdict[Key, list[asyncpg.Record]] = defaultdict(list)
    for row in await connection.fetch(_HELD, *asked):
        held[row["rule"], row["device_id"]].append(row)
    open_now = {(r["rule"], r["device_id"]): r for r in await connection.fetch(_OPEN, *asked)}
    transitions: list[Transition] = []
    for key in sorted(keys):
        if sentences is not None or key in open_now:
            transitions += _transitions(key, held[key], open_now.get(key), to_datetime(now))

    def describe(transition: Transition) -> Mapping[str, str]:
        key = transition.rule, transition.device_id
        if sentences is None or key not in sentences:
            summary: Mapping[str, str] = open_now[key]["summary"]
            return summary
        return dict.fromkeys(LANGUAGES, sentences[key])

    made = await record(connection, transitions, describe, now)
    await connection.execute(_FORGET, *asked, to_datetime(now))
    return made


def _transitions(
    key: Key, held: Sequence[asyncpg.Record], alert: asyncpg.Record | None, at: datetime
) -> Iterable[Transition]:
    """Return what moves one alert to what holds at an instant, nothing where it is so already. Pure."""
    holding = [row for row in held if row["ends_at"] > at]
    if not holding:
        if alert is not None:
            ended = min(max([row["ends_at"] for row in held], default=at), at)
            yield _transition(
                key, True, ConditionState.RESOLVED, alert["severity"], max(ended, alert["opened_at"]), at, {}
            )
        return
    worst = max(holding, key=lambda row: Severity(row["severity"]).rank)
    if alert is None:
        began = min([*(row["starts_at"] for row in holding), at])
        yield _transition(key, False, ConditionState.FIRING, worst["severity"], began, at, _evidence(worst))
    elif alert["severity"] != worst["severity"]:
        yield _transition(key, True, ConditionState.FIRING, worst["severity"], at, at, _evidence(worst))


def _transition(
    key: Key,
    was_firing: bool,
    to_state: ConditionState,
    severity: str,
    observed_at: datetime,
    at: datetime,
    evidence: Mapping[str, Any],
) -> Transition:
    return Transition(
        rule=key[0],
        version=1,
        device_id=key[1],
        from_state=ConditionState.FIRING if was_firing else ConditionState.INACTIVE,
        to_state=to_state,
        severity=Severity(severity),
        observed_at=to_microseconds(observed_at),
        received_at=to_microseconds(at),
        evidence=evidence,
    )


def _evidence(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "condition": "another system says so",
        "values": row["labels"],
        "annotations": row["annotations"],
        "generator_url": row["generator_url"],
    }
