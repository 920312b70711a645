"""Silence: nothing was received from a device for so many of its expected intervals.

Judged by receive time and up to ingest's last sign of life, and only while it has been caught up for longer
than that device's interval: an outage of ours is not a silent city. Here is what is read from tables; who is
silent is for `core.silent` to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
import numpy as np

from alerts.transition import Severity
from devices.columns import newest_values
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from devices.reporting import learned_of
from readings.tables import table_name
from rules.context.attributes import as_numbers
from rules.definition.definition import Silent
from rules.language.program import Rule
from rules.sweeps.core import silent
from rules.sweeps.incidents import EndedAlert, NewAlert, SweepContext, begin, end
from rules.sweeps.unheard import speaks_refused
from store.connection import Connection

LOOK_BACK_DAYS = 7
"""How old a backlog may be to still prove, by its receive time, that a device lives."""

# It only narrows what is read: core.silent decides. What was heard before the installation does not count.
OVERDUE = """
SELECT latest.device_id, device.kind, latest.received_at, latest.interval_s,
    newest.received_at AS refused_at,
    CASE WHEN $9 THEN latest.measurements END AS measurements, device.attributes,
    coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality
FROM latest
INNER JOIN device ON latest.device_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
LEFT JOIN LATERAL (
    SELECT rejection.received_at FROM rejection
    WHERE rejection.device = device.name AND NOT starts_with(rejection.detail, 'replaced: ')
    ORDER BY rejection.id DESC LIMIT 1
) AS newest ON true
WHERE device.retired_at IS NULL AND latest.received_at >= device.installed_at
    AND ($3::text IS NULL OR device.kind = $3)
    AND latest.received_at
        + greatest(latest.interval_s * $4::float8, $5::float8) * interval '1 second' < $1::timestamptz
    AND $2::timestamptz + latest.interval_s * interval '1 second' < $1::timestamptz
    AND NOT EXISTS (
        SELECT FROM alert
        WHERE alert.rule = $6 AND alert.device_id = latest.device_id AND alert.state = 'firing'
    )
    AND ($7::text IS NULL OR latest.measurements ->> $7 = ANY($8::text []))
ORDER BY latest.device_id
"""

RESUMED = """
SELECT alert.device_id, alert.rule, alert.rule_version, alert.severity, alert.opened_at, latest.observed_at,
    latest.received_at
FROM alert
INNER JOIN latest ON alert.device_id = latest.device_id
WHERE alert.rule = ANY($1::text []) AND alert.state = 'firing' AND latest.received_at > alert.opened_at
ORDER BY alert.device_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overdue:
    """A device that has missed its deadline (microseconds); its names are for sentences."""

    device_id: int
    kind: str
    received_at: int
    deadline: int
    interval_s: float
    names: Mapping[str, str]


async def sweep(connection: Connection, rule: Rule, moment: SweepContext, kinds: Mapping[str, Kind]) -> int:
    """Open and resolve alerts of one rule; return how many transitions that made."""
    made = await _resolve(connection, rule, moment)
    if moment.caught_up_at is None:
        return made
    return made + await _open(connection, rule, moment.caught_up_at, moment, kinds)


async def _resolve(connection: Connection, rule: Rule, moment: SweepContext) -> int:
    """Close alerts of devices that sent something again; their reading says when."""
    rows = await connection.fetch(RESUMED, [rule.id])
    resumed = silent.has_resumed(_instants(rows, "received_at"), _instants(rows, "opened_at"))
    endings = [
        EndedAlert(
            device_id=row["device_id"],
            rule=row["rule"],
            version=row["rule_version"],
            severity=Severity(row["severity"]),
            observed_at=to_microseconds(row["observed_at"]),
            received_at=to_microseconds(row["received_at"]),
            condition="a reading was received",
        )
        for row, has_resumed in zip(rows, resumed.tolist(), strict=True)
        if has_resumed and not moment.rests(row["device_id"])
    ]
    return await end(connection, endings, moment.now)


async def _open(
    connection: Connection,
    rule: Rule,
    caught_up_at: datetime,
    moment: SweepContext,
    kinds: Mapping[str, Kind],
) -> int:
    family = rule.definition.silent
    assert family is not None
    rows = await connection.fetch(
        OVERDUE,
        to_datetime(moment.received_until),
        caught_up_at,
        rule.definition.kind,
        family.intervals,
        family.at_least_us / 1e6,
        rule.id,
        None if family.after is None else family.after.measurement,
        None if family.after is None else family.after.one_of,
        family.after_state is not None,
    )
    until = moment.received_until
    # Whose messages are refused is not silent: a rule of its own tells that.
    rows = [r for r in rows if not speaks_refused(family, r["refused_at"], r["interval_s"], until)]
    if family.after_state is not None and rule.definition.kind is not None:
        kind = kinds[rule.definition.kind]
        taught = await learned_attributes(connection, kind, [r["device_id"] for r in rows], moment.now)
        rows = _in_state(rows, family, kind, taught)
    overdue = _overdue(rows, family, to_microseconds(caught_up_at), moment)
    # Whoever was being worked on has its time again once the work is done.
    missed = [d for d in overdue if not moment.rests(d.device_id, d.deadline - d.received_at)]
    alive = await _received_since(connection, missed)
    findings = [_finding(family, d, moment.now) for d in missed if d.device_id not in alive]
    return await begin(connection, rule, findings, moment.now)


def _in_state(
    rows: Sequence[asyncpg.Record], family: Silent, kind: Kind, taught: Mapping[str, Mapping[int, float]]
) -> list[asyncpg.Record]:
    """Return the devices that were last heard in the reporting state that the rule is about."""
    values = newest_values(kind, [r["measurements"] for r in rows])
    judged = silent.is_judged(
        replace(family, after=None),
        kind,
        values,
        len(rows),
        lambda name: as_numbers(
            r["attributes"].get(name, taught.get(name, {}).get(r["device_id"])) for r in rows
        ),
    )
    return [rows[i] for i in np.flatnonzero(judged).tolist()]


def _overdue(
    rows: Sequence[asyncpg.Record], family: Silent, caught_up_at: int, moment: SweepContext
) -> list[_Overdue]:
    received_at = _instants(rows, "received_at")
    interval_us = np.array([r["interval_s"] * 1e6 for r in rows], dtype=np.float64).astype(np.int64)
    overdue = silent.is_overdue(family, received_at, interval_us, moment.received_until, caught_up_at)
    deadline = received_at + silent.patience_us(family, interval_us)
    return [
        _Overdue(
            device_id=rows[i]["device_id"],
            kind=rows[i]["kind"],
            received_at=int(received_at[i]),
            deadline=int(deadline[i]),
            interval_s=rows[i]["interval_s"],
            names={"device": rows[i]["title"], "municipality": rows[i]["municipality"]},
        )
        for i in np.flatnonzero(overdue).tolist()
    ]


def _instants(rows: Sequence[asyncpg.Record], name: str) -> silent.Ints:
    return np.array([to_microseconds(r[name]) for r in rows], dtype=np.int64)


def _finding(family: Silent, device: _Overdue, now: int) -> NewAlert:
    return NewAlert(
        device_id=device.device_id,
        severity=family.severity,
        observed_at=device.deadline,
        received_at=device.received_at,
        evidence={
            "condition": f"no reading for {family.intervals:g} intervals",
            "since": to_datetime(device.received_at).isoformat(),
            "values": {
                "silent_min": round((now - device.received_at) / 60e6, 1),
                "silent_s": round((now - device.received_at) / 1e6),
            },
            "limits": {"interval_s": device.interval_s},
        },
        names=device.names,
    )


async def _received_since(connection: Connection, overdue: Sequence[_Overdue]) -> set[int]:
    """Return devices that sent something after all: table `latest` may be a second behind the readings."""
    by_kind: dict[str, list[_Overdue]] = defaultdict(list)
    for device in overdue:
        by_kind[device.kind].append(device)
    alive: set[int] = set()
    for kind, devices in by_kind.items():
        # Names of kinds are checked by their declaration; they cannot be parameters.
        query = (
            "SELECT DISTINCT asked.device_id FROM unnest($1::int [], $2::timestamptz [])"  # noqa: S608
            f" AS asked (device_id, received_at) INNER JOIN {table_name(kind)} AS reading"
            " ON reading.device_id = asked.device_id AND reading.received_at > asked.received_at"
            f" AND reading.observed_at > asked.received_at - interval '{LOOK_BACK_DAYS} days'"
        )
        ids = [d.device_id for d in devices]
        received = [to_datetime(d.received_at) for d in devices]
        alive |= {row["device_id"] for row in await connection.fetch(query, ids, received)}
    return alive


async def learned_attributes(
    connection: Connection, kind: Kind, devices: Sequence[int], now: int
) -> dict[str, dict[int, float]]:
    """Return by attribute and device what readings teach of attributes that nobody has entered."""
    since = to_datetime(now - LOOK_BACK_DAYS * 86_400_000_000)
    found: dict[str, dict[int, float]] = {}
    for name, learned in learned_of(kind).items():
        # Names of kinds and measurements are checked by their declaration; they cannot be parameters.
        query = (
            "SELECT asked.device_id, reading.value FROM unnest($1::int []) AS asked (device_id)"  # noqa: S608
            f" CROSS JOIN LATERAL (SELECT {learned.measurement} AS value FROM {table_name(kind.name)}"
            f" WHERE device_id = asked.device_id AND {learned.text} = ANY($2::text [])"
            f" AND {learned.measurement} IS NOT NULL AND observed_at > $3"
            " ORDER BY observed_at DESC LIMIT 1) AS reading"
        )
        rows = await connection.fetch(query, devices, learned.one_of, since) if devices else []
        found[name] = {row["device_id"]: row["value"] for row in rows}
    return found
