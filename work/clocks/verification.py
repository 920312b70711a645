"""Whether readings show that the work helped: done orders are watched for a while, then verified or reopened.

An order whose condition still fires after that time, or begins anew within it, is reopened; one whose alerts
have ended while its device went on reporting is verified; one of a device that has not reported since stays
waiting. Must not know how rules judge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial

import asyncpg

from devices import verify_span
from devices.instants import to_datetime
from devices.kinds import STRUCTURAL, Kinds
from devices.time_zones import zone_named
from people.person import person_of
from store.audit import PLATFORM
from store.connection import Connection
from work.added_alerts import raise_severity
from work.assigning import works_in
from work.attempts import Attempts
from work.change import StoredOrder, WorkStep, locked, store_change
from work.event import WorkEventType
from work.order import Verification, WorkState

WITHOUT_KIND = "1h"
"""For devices that send no readings of their own, such as a circuit, and kinds that are declared no more."""
INTERVAL_S = 600.0
AT_ONCE = 500
"""So many orders begin to wait, are looked at, in one statement."""
MOST_JUDGED = 200
"""So many are verified or reopened in one round; the others in the next."""

_TO_BEGIN = """
SELECT o.id, o.ended_at, device.kind, municipality.time_zone, latest.interval_s,
    ARRAY(
        SELECT DISTINCT rule.verify_within FROM work_order_alert AS a
        INNER JOIN alert ON a.alert_id = alert.id
        INNER JOIN rule ON alert.rule = rule.id AND alert.rule_version = rule.version
        WHERE a.order_id = o.id AND rule.verify_within IS NOT NULL
    ) AS spans
FROM work_order AS o
INNER JOIN device ON o.device_id = device.id
INNER JOIN municipality ON o.municipality_id = municipality.id
LEFT JOIN latest ON latest.device_id = o.device_id
WHERE o.state = 'done' AND o.verify_until IS NULL AND o.verification IS DISTINCT FROM 'verified'
    AND EXISTS (SELECT FROM work_order_alert AS a WHERE a.order_id = o.id)
ORDER BY o.id
LIMIT $1
FOR NO KEY UPDATE OF o SKIP LOCKED
"""
_BEGIN = """
UPDATE work_order SET verification = 'waiting', verify_until = w.until_at
FROM unnest($1::bigint [], $2::timestamptz []) AS w (id, until_at)
WHERE work_order.id = w.id
"""


async def begin(connection: Connection, kinds: Kinds) -> int:
    """Let orders that were done wait for readings, and return how many; those without an alert have none to
    wait for."""
    async with connection.transaction():
        rows = await connection.fetch(_TO_BEGIN, AT_ONCE)
        if rows:
            until = [_until(row, kinds) for row in rows]
            await connection.execute(_BEGIN, [row["id"] for row in rows], until)
    return len(rows)


def _until(row: asyncpg.Record, kinds: Kinds) -> datetime:
    """Return until when readings are watched: the longest that the rules of its alerts say, else the kind."""
    kind = kinds.get(row["kind"])
    interval_s = row["interval_s"] or (kind.reporting[-1].every_s if kind else INTERVAL_S)
    spans = row["spans"] or [kind.verify_within if kind else WITHOUT_KIND]
    zone = zone_named(row["time_zone"])
    return max(verify_span.parse(span).end(row["ended_at"], interval_s, zone) for span in spans)


class VerificationOutcome(StrEnum):
    """What becomes of a done order that waits for readings."""

    WAIT = "wait"
    VERIFY = "verify"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietFacts:
    """What is known of the condition of a done order.

    over: the time in which readings are watched. fires: an alert of its rules is open. began_after: that
    alert opened after the work. heard: the device has reported since. by_readings: readings decide whether
    the condition holds; else silence, other devices or another system do. explained: what fires is explained
    by the alert of another device, or held until that is known.
    """

    over: bool
    fires: bool
    explained: bool
    began_after: bool
    heard: bool
    by_readings: bool


def outcome(facts: QuietFacts) -> VerificationOutcome:
    """Return what becomes of it. Pure."""
    if facts.explained:
        return VerificationOutcome.WAIT
    if facts.fires:
        shown = facts.began_after or (facts.over and (facts.heard or not facts.by_readings))
        return VerificationOutcome.REOPEN if shown else VerificationOutcome.WAIT
    return VerificationOutcome.VERIFY if facts.over and facts.heard else VerificationOutcome.WAIT


# An alert of the same rule that opened again is another alert: it is found by rule and device.
_WAITING = """
SELECT o.id, o.version, o.verify_until <= $1 AS over, open.id AS alert_id,
    open.id IS NOT NULL AS fires,
    coalesce(open.explained, false) AS explained,
    coalesce(open.opened_at > o.ended_at, false) AS began_after,
    coalesce(open.family = 'stream', false) AS by_readings,
    device.kind = ANY($2::text []) OR coalesce(latest.observed_at > o.ended_at, false) OR NOT EXISTS (
        SELECT FROM work_order_alert AS a
        INNER JOIN alert ON a.alert_id = alert.id
        INNER JOIN rule ON alert.rule = rule.id AND alert.rule_version = rule.version
        WHERE a.order_id = o.id AND rule.family <> 'external'
    ) AS heard
FROM work_order AS o
INNER JOIN device ON o.device_id = device.id
LEFT JOIN latest ON latest.device_id = o.device_id
LEFT JOIN LATERAL (
    SELECT alert.id, alert.opened_at, rule.family,
        alert.inhibited_by IS NOT NULL OR coalesce(alert.held_until > $1, false) AS explained
    FROM alert
    INNER JOIN rule ON alert.rule = rule.id AND alert.rule_version = rule.version
    WHERE alert.device_id = o.device_id AND alert.state = 'firing' AND alert.rule IN (
        SELECT known.rule FROM work_order_alert AS a
        INNER JOIN alert AS known ON a.alert_id = known.id
        WHERE a.order_id = o.id
    )
    ORDER BY explained, alert.opened_at DESC
    LIMIT 1
) AS open ON true
WHERE o.verification = 'waiting' AND o.state = 'done' AND o.id > $3 AND device.retired_at IS NULL
    AND (o.verify_until <= $1 OR open.opened_at > o.ended_at)
ORDER BY o.id
LIMIT $4
"""


async def judge(
    connection: Connection, now: int, attempts: Attempts | None = None
) -> list[tuple[int, VerificationOutcome]]:
    """Verify or reopen orders whose time is over or whose condition came back; return which.

    Each in a transaction of its own: one that fails does not stop the others.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    attempts, done, after = attempts or Attempts(), list[tuple[int, VerificationOutcome]](), 0
    while True:
        rows = await connection.fetch(_WAITING, to_datetime(now), list(STRUCTURAL), after, AT_ONCE)
        for row in rows:
            if len(done) >= MOST_JUDGED:
                return done
            found = outcome(QuietFacts(**{name: row[name] for name in QuietFacts.__slots__}))
            if found is VerificationOutcome.WAIT:
                continue
            act = partial(_settle, connection, row["id"], row["alert_id"], found, now)
            settled = await attempts.attempt("judge", row["id"], now, act)
            done += [] if settled is None else [(row["id"], settled)]
        if len(rows) < AT_ONCE:
            return done
        after = rows[-1]["id"]


# Alerts before orders before the audit, as everybody locks them.
_LOCK_ALERT = "SELECT FROM alert WHERE id = $1 FOR NO KEY UPDATE"


async def _settle(
    connection: Connection, order: int, alert: int | None, found: VerificationOutcome, now: int
) -> VerificationOutcome | None:
    async with connection.transaction():
        if alert is not None:
            await connection.execute(_LOCK_ALERT, alert)
        before = await locked(connection, order)
        if before.state is not WorkState.DONE or before.verification is not Verification.WAITING:
            return None  # somebody was faster
        if alert is None:
            return await _verify(connection, before, now)
        return await _reopen(connection, before, alert, now)


async def _verify(connection: Connection, found: StoredOrder, now: int) -> VerificationOutcome:
    at = to_datetime(now)
    after = replace(found, verification=Verification.VERIFIED, verified_at=at)
    step = WorkStep(by=PLATFORM, now=now)
    await store_change(connection, found, after, WorkEventType.VERIFIED, step, verb="verify", happened_at=at)
    return VerificationOutcome.VERIFY


# Another open order has the alert, or the next order of its plan is open: one is enough.
_IN_ANOTHER = """
SELECT EXISTS (
    SELECT FROM work_order_alert AS a
    INNER JOIN work_order AS o ON a.order_id = o.id
    WHERE a.alert_id = $1 AND o.id <> $2 AND o.state NOT IN ('done', 'cancelled')
) OR EXISTS (
    SELECT FROM work_order AS o
    INNER JOIN work_order AS next ON o.plan_id = next.plan_id AND o.device_id = next.device_id
    WHERE o.id = $2 AND next.id <> $2 AND next.state NOT IN ('done', 'cancelled')
)
"""
_ADD_ALERT = "INSERT INTO work_order_alert (order_id, alert_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"


async def _reopen(connection: Connection, found: StoredOrder, alert: int, now: int) -> VerificationOutcome:
    """Give an order back to whom it was; where another open order is about it, only say that it failed."""
    step, at = WorkStep(by=PLATFORM, now=now), to_datetime(now)
    if await connection.fetchval(_IN_ANOTHER, alert, found.id):
        failed = replace(found, verification=Verification.FAILED)
        await store_change(
            connection, found, failed, WorkEventType.FAILED, step, verb="fail", body={"alert": alert},
            happened_at=at,
        )  # fmt: skip
        return VerificationOutcome.WAIT
    assignee = await _still_works(connection, found)
    nobody = assignee is None and found.team_id is None
    after = replace(
        found,
        assignee_id=assignee,
        verification=Verification.FAILED,
        state=WorkState.OPEN if nobody else WorkState.ASSIGNED,
        ended_at=None,
        verify_until=None,
        reopened=found.reopened + 1,
    )
    body = {"alert": alert, "assignee": assignee, "team": found.team_id}
    await connection.execute(_ADD_ALERT, found.id, alert)
    await raise_severity(connection, [found.id], [alert])
    await store_change(
        connection, found, after, WorkEventType.REOPENED, step, verb="reopen", body=body, happened_at=at
    )
    return VerificationOutcome.REOPEN


async def _still_works(connection: Connection, order: StoredOrder) -> int | None:
    """Return whose the order was; None: nobody's, or theirs who do not work there any more."""
    if order.assignee_id is None:
        return None
    person = await person_of(connection, order.assignee_id)
    works = person.disabled_at is None and works_in(person, order.municipality)
    return order.assignee_id if works else None
