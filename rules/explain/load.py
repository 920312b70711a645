"""What an explanation needs from the database: the rule's version, the device's history, its open alerts.

Reads only. Must not know how terms are evaluated (rules.explain.explain) or said (rules.explain.texts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import asyncpg
import numpy as np

from alerts.transition import Severity
from devices.columns import newest_values
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from devices.registry.errors import Invalid, NotFound
from devices.registry.registry import Device, Registry, get_device, get_municipality
from readings import replay
from readings.replay import ReceiveSpan
from readings.tables import table_name
from rules.context.attributes import as_numbers
from rules.definition.definition import Silent, Text
from rules.engine.snapshot import OpenAlert
from rules.explain import gate_terms
from rules.explain.evidence import LabelledValue, labelled
from rules.explain.explain import DeviceStatus, HistoryStart, explain
from rules.explain.explanation import Explanation, RuleStatus
from rules.explain.wording import labels_of
from rules.language.program import Rule
from rules.loading.files import parse_stored
from rules.maintenance import spans
from rules.sweeps.core import silent
from rules.sweeps.resting import unfed_until
from store.connection import Connection

HISTORY = 5_000
"""Readings that are evaluated, at most."""
HISTORY_US = 31 * 86_400_000_000


async def explain_rule(
    connection: Connection, kinds: Mapping[str, Kind], rule: str, device: str, *, at: int
) -> Explanation:
    """Explain the state of a rule on a device at an instant (microseconds), as far as was known then.

    Raises:
        NotFound: there is no such rule or device.
        Invalid: the rule does not judge this device.
        rules.definition.errors.RulesRefused: this program does not understand the rule any more.
    """
    found = await get_device(connection, device)
    town = await get_municipality(connection, found.municipality)
    version, began = await _version(connection, kinds, rule, at)
    definition = version.definition
    if definition.kind not in (None, found.kind):
        raise Invalid(
            "device", f"{rule} judges devices of kind {definition.kind}; {device} is a {found.kind}"
        )
    present, evidence = await _present(connection, rule, found, at)
    fired_by = tuple(labelled(evidence, kinds.get(found.kind), definition.labels))
    words = _Words(fired_by=fired_by, time_zone=town.time_zone)
    resting = await spans.of_device(connection, found.id)
    if not definition.levels:
        unfed = await unfed_until(connection, at)
        gate, terms = gate_terms.of_sweep(definition.when, found, town, resting.get(found.id, ()), unfed, at)
        judged = (
            _explain_across(version, present, evidence)
            if definition.silent is None
            else await _explain_silence(connection, version, present, kinds[found.kind], found)
        )
        return words.put(replace(judged, gate=gate, terms=terms))
    kind = kinds[found.kind]
    registry = Registry(
        devices={found.id: found}, by_name={found.name: found}, municipalities={town.name: town}
    )
    window = await _window(connection, kind, found, at, began)
    columns = await replay.columns(
        connection,
        kind,
        window,
        measurements=[m.name for m in kind.measurements],
        devices=[found.id],
    )
    past = await _past(connection, kind, rule, found, window)
    words = replace(words, labels=labels_of(kind, definition.labels))
    return words.put(explain(kind, version, registry, columns, past, present, resting))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Labels and time zone of an explanation; see Explanation."""

    fired_by: tuple[LabelledValue, ...]
    time_zone: str
    labels: Mapping[str, Text] = field(default_factory=dict)

    def put(self, explanation: Explanation) -> Explanation:
        """Return the explanation with them."""
        return replace(explanation, fired_by=self.fired_by, time_zone=self.time_zone, labels=self.labels)


_VERSION = """
SELECT version, definition, created_at
FROM rule
WHERE id = $1 AND family <> 'external'
ORDER BY created_at <= $2 DESC, CASE WHEN created_at <= $2 THEN version ELSE -version END DESC
LIMIT 1
"""


async def _version(connection: Connection, kinds: Mapping[str, Kind], rule: str, at: int) -> tuple[Rule, int]:
    """Return the version that was in force at an instant, else the first one, and when it was applied."""
    row = await connection.fetchrow(_VERSION, rule, to_datetime(at))
    if row is None:
        raise NotFound("rule", rule, "`nabd rule list` shows them")
    definition = parse_stored(row["definition"], kinds)
    return Rule(definition=definition, version=row["version"]), to_microseconds(row["created_at"])


_ALERT = """
SELECT alert.id, alert.severity, alert.opened_at, alert.inhibited_by, alert.evidence, (
    SELECT min(other.opened_at) FROM alert AS other
    INNER JOIN rule ON rule.id = other.rule AND rule.version = other.rule_version
    WHERE other.device_id = $2 AND rule.family = 'silent' AND other.detected_at <= $3
        AND (other.state = 'firing' OR other.resolved_at > $3)
) AS silent_since
FROM (SELECT) AS nothing
LEFT JOIN alert ON alert.rule = $1 AND alert.device_id = $2 AND alert.detected_at <= $3
    AND (alert.state = 'firing' OR alert.resolved_at > $3)
ORDER BY alert.id DESC
LIMIT 1
"""


async def _present(
    connection: Connection, rule: str, device: Device, at: int
) -> tuple[DeviceStatus, Mapping[str, Any]]:
    row = await connection.fetchrow(_ALERT, rule, device.id, to_datetime(at))
    assert row is not None
    present = DeviceStatus(
        device_id=device.id,
        device=device.name,
        at=at,
        alert=row["id"],
        inhibited_by=row["inhibited_by"],
        severity=None if row["severity"] is None else Severity(row["severity"]),
        opened_at=_microseconds(row["opened_at"]),
        silent_since=_microseconds(row["silent_since"]),
    )
    return present, row["evidence"] or {}


async def _window(connection: Connection, kind: Kind, device: Device, at: int, began: int) -> ReceiveSpan:
    """Return the span to evaluate: readings since the version is in force, HISTORY of them at most.

    A version without readings is shown on those before it.
    """
    query = (
        # Names of a kind are checked by its declaration; they cannot be parameters.
        "SELECT min(observed_at) AS oldest, max(received_at) AS newest FROM ("  # noqa: S608
        f"SELECT observed_at, received_at FROM {table_name(kind.name)} WHERE device_id = $1"
        " AND observed_at >= $2 AND received_at <= $3 ORDER BY observed_at DESC LIMIT $4) AS last"
    )
    row = await connection.fetchrow(query, device.id, to_datetime(at - HISTORY_US), to_datetime(at), HISTORY)
    assert row is not None
    newest, oldest = _microseconds(row["newest"]), _microseconds(row["oldest"])
    start = began if newest is not None and newest >= began else 0
    return ReceiveSpan(start=start, end=at + 1, oldest=at if oldest is None else oldest, rows=HISTORY)


_FIRING_BEFORE = """
SELECT rule, device_id, severity FROM alert
WHERE rule = $1 AND device_id = $2 AND detected_at < $3 AND (resolved_at IS NULL OR resolved_at >= $3)
"""


async def _past(
    connection: Connection, kind: Kind, rule: str, device: Device, window: ReceiveSpan
) -> HistoryStart:
    oldest = to_datetime(window.oldest or 0)
    start = max(oldest, to_datetime(window.start))
    alerts = await connection.fetch(_FIRING_BEFORE, rule, device.id, start)
    query = (
        f"SELECT max(observed_at) FROM {table_name(kind.name)} WHERE device_id = $1"  # noqa: S608
        " AND observed_at >= $2::timestamptz - interval '31 days' AND received_at < $3"
        " AND (observed_at < $2 OR received_at < $3)"
    )
    watermark = await connection.fetchval(query, device.id, oldest, start)
    return HistoryStart(
        alerts=tuple(
            OpenAlert(rule=row["rule"], device_id=row["device_id"], severity=Severity(row["severity"]))
            for row in alerts
        ),
        watermark=_microseconds(watermark),
    )


_LATEST = """
SELECT observed_at, received_at, interval_s, measurements,
    $2::text IS NULL OR measurements ->> $2 = ANY($3::text []) AS judged
FROM latest WHERE device_id = $1
"""


async def _explain_silence(
    connection: Connection, rule: Rule, present: DeviceStatus, kind: Kind, device: Device
) -> Explanation:
    family = rule.definition.silent
    assert family is not None
    row: asyncpg.Record | None = await connection.fetchrow(
        _LATEST,
        present.device_id,
        None if family.after is None else family.after.measurement,
        None if family.after is None else family.after.one_of,
    )
    deadline = None
    if row is not None and row["judged"] and _is_in_state(family, kind, row["measurements"], device):
        interval_us = np.array([round(row["interval_s"] * 1e6)], dtype=np.int64)
        deadline = to_microseconds(row["received_at"]) + int(silent.patience_us(family, interval_us)[0])
    return Explanation(
        rule=rule.id,
        version=rule.version,
        device=present.device,
        at=present.at,
        status=RuleStatus.INACTIVE if present.alert is None else RuleStatus.FIRING,
        severity=present.severity,
        since=present.opened_at,
        alert=present.alert,
        observed_at=None if row is None else to_microseconds(row["observed_at"]),
        received_at=None if row is None else to_microseconds(row["received_at"]),
        silent_since=present.silent_since,
        readings=0,
        deadline=deadline,
        values={} if row is None else {"interval_s": row["interval_s"]},
    )


def _is_in_state(family: Silent, kind: Kind, measured: Mapping[str, Any], device: Device) -> bool:
    values = newest_values(kind, [measured])
    judged = silent.is_judged(
        replace(family, after=None), kind, values, 1, lambda name: as_numbers([device.attributes.get(name)])
    )
    return bool(judged[0])


def _explain_across(rule: Rule, present: DeviceStatus, evidence: Mapping[str, Any]) -> Explanation:
    """Explain a rule that judges many devices, or forecasts: by the evidence of its alert."""
    return Explanation(
        rule=rule.id,
        version=rule.version,
        device=present.device,
        at=present.at,
        status=RuleStatus.INACTIVE if present.alert is None else RuleStatus.FIRING,
        severity=present.severity,
        since=present.opened_at,
        alert=present.alert,
        observed_at=None,
        received_at=None,
        silent_since=present.silent_since,
        readings=0,
        inhibited_by=present.inhibited_by,
        across=True,
        values=evidence,
    )


def _microseconds(instant: datetime | None) -> int | None:
    return None if instant is None else to_microseconds(instant)
