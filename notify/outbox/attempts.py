"""Attempts in their tables: marked before they are made, with what came of them afterwards.

An attempt that was marked and never ended may have arrived: it is known, counted and made again with the same
id. Instants are microseconds. Must not know channels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from devices.instants import to_datetime
from notify.message import Occasion
from notify.outbox import ownership
from notify.outbox.planned import NoticeTopic
from store.connection import Connection


class DeliveryState(StrEnum):
    """What became of a message."""

    PLANNED = "planned"
    """Not handed over yet; after a failure to be tried again."""
    SENDING = "sending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    """Trying again cannot help."""
    GIVEN_UP = "given-up"
    NOT_NEEDED = "not-needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One attempt that is marked and to be made.

    failing_channel, or topic with `about` and the number of an order: what it is about where no alert is.
    """

    id: UUID
    number: int
    call_id: UUID
    person_id: int
    channel: str
    address: str
    occasion: Occasion | None
    failing_channel: str | None
    group_key: str | None
    digest: bool
    created_at: int
    alerts: tuple[int, ...]
    topic: NoticeTopic | None = None
    order: int | None = None
    about: Mapping[str, Any] | None = None


_MARK = """
WITH leads AS (
    SELECT owner FROM notifier WHERE owner = $4 FOR KEY SHARE
),

due AS (
    SELECT found.id
    FROM leads
    CROSS JOIN unnest($1::text [], $2::int []) AS wanted (channel, free)
    CROSS JOIN LATERAL (
        SELECT d.id FROM delivery AS d
        WHERE d.channel = wanted.channel AND d.state = 'planned' AND d.due_at <= $3 AND EXISTS (
            SELECT FROM person WHERE person.id = d.person_id AND person.disabled_at IS NULL
        )
        ORDER BY d.due_at
        LIMIT wanted.free
        FOR UPDATE SKIP LOCKED
    ) AS found
),

marked AS (
    UPDATE delivery AS d SET state = 'sending', attempts = d.attempts + 1
    FROM due
    WHERE d.id = due.id AND d.state = 'planned'
    RETURNING d.id, d.attempts AS number, d.call_id, d.person_id, d.channel, d.address, d.occasion,
        d.failing_channel, d.group_key, d.digest, d.created_at, d.topic, d.order_id, d.about
),

noted AS (
    INSERT INTO delivery_attempt (delivery_id, number, began_at)
    SELECT id, number, $3 FROM marked
)

SELECT marked.*, (extract(EPOCH FROM marked.created_at) * 1000000)::bigint AS created, ARRAY(
    SELECT about.alert_id FROM delivery_alert AS about
    WHERE about.delivery_id = marked.id AND about.needed ORDER BY about.alert_id
) AS alerts
FROM marked
"""


async def mark(
    connection: Connection, owner: UUID, free: Mapping[str, int], now: int
) -> list[DeliveryAttempt]:
    """Mark attempts that are due, at most so many of each channel, and return them. In a transaction.

    Nothing is sent to who is deactivated.

    Raises:
        NotLeader: another process tells people now.
    """
    rows = await connection.fetch(_MARK, list(free), list(free.values()), to_datetime(now), owner)
    if not rows:
        await ownership.still(connection, owner)
    return [
        DeliveryAttempt(
            id=row["id"],
            number=row["number"],
            call_id=row["call_id"],
            person_id=row["person_id"],
            channel=row["channel"],
            address=row["address"],
            occasion=row["occasion"] and Occasion(row["occasion"]),
            failing_channel=row["failing_channel"],
            group_key=row["group_key"],
            digest=row["digest"],
            created_at=row["created"],
            alerts=tuple(row["alerts"]),
            topic=row["topic"] and NoticeTopic(row["topic"]),
            order=row["order_id"],
            about=row["about"],
        )
        for row in rows
    ]


_PUT_OFF = """
WITH off AS (
    SELECT * FROM unnest($1::uuid [], $2::int [], $3::timestamptz []) AS o (id, number, due_at)
),

unmade AS (
    DELETE FROM delivery_attempt AS a USING off
    WHERE a.delivery_id = off.id AND a.number = off.number
)

UPDATE delivery AS d SET
    state = 'planned', attempts = off.number - 1, due_at = off.due_at, answer = 'silenced'
FROM off
WHERE d.id = off.id
"""


async def put_off(connection: Connection, silenced: Sequence[tuple[DeliveryAttempt, int]]) -> None:
    """Take back attempts until the silence ends, in the transaction that marked them."""
    await connection.execute(
        _PUT_OFF,
        [attempt.id for attempt, _ in silenced],
        [attempt.number for attempt, _ in silenced],
        [to_datetime(until) for _, until in silenced],
    )


_SILENCE_ENDED = """
UPDATE delivery SET due_at = $1 WHERE state = 'planned' AND answer = 'silenced' AND due_at > $1
"""


async def look_again(connection: Connection, now: int) -> None:
    """Let what a silence put off be due: where it is still silenced it is put off again."""
    await connection.execute(_SILENCE_ENDED, to_datetime(now))


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """What came of an attempt.

    state: of its delivery from now on; due_at: of the next attempt, if any. doubtful: it may have arrived.
    """

    attempt: DeliveryAttempt
    state: DeliveryState
    answer: str
    at: int
    due_at: int | None = None
    doubtful: bool = False


_RECORD = """
WITH ended AS (
    SELECT * FROM unnest($1::uuid [], $2::int [], $3::text [], $4::text [], $5::timestamptz [],
        $6::timestamptz [], $7::boolean []) AS e (id, number, state, answer, at, due_at, doubtful)
),

noted AS (
    UPDATE delivery_attempt AS a SET
        ended_at = ended.at, answer = CASE WHEN d.address <> '' THEN ended.answer END
    FROM ended
    INNER JOIN delivery AS d ON ended.id = d.id
    WHERE a.delivery_id = ended.id AND a.number = ended.number
)

UPDATE delivery AS d SET
    state = ended.state, answer = CASE WHEN d.address <> '' THEN ended.answer END,
    due_at = coalesce(ended.due_at, d.due_at),
    ambiguous = d.ambiguous OR ended.doubtful,
    handed_over_at = CASE WHEN ended.state = 'delivered' THEN ended.at END
FROM ended
WHERE d.id = ended.id AND d.state = 'sending' AND d.attempts = ended.number
"""


async def record(connection: Connection, ended: Sequence[AttemptEnded]) -> None:
    """Store what came of attempts; one that has been made again meanwhile changes nothing but its own row.

    Of a person who was forgotten meanwhile (no address) the service's answer is not kept.
    """
    await connection.execute(
        _RECORD,
        [e.attempt.id for e in ended],
        [e.attempt.number for e in ended],
        [e.state for e in ended],
        [e.answer for e in ended],
        [to_datetime(e.at) for e in ended],
        [None if e.due_at is None else to_datetime(e.due_at) for e in ended],
        [e.doubtful for e in ended],
    )


_NEXT_CONTACT = """
WITH next AS (
    SELECT DISTINCT ON (d.call_id) d.id
    FROM delivery AS d
    WHERE d.call_id = ANY($1::uuid []) AND d.state = 'planned' AND d.attempts = 0
    ORDER BY d.call_id, d.due_at
)

UPDATE delivery AS d SET due_at = $2
FROM next
WHERE d.id = next.id AND d.state = 'planned' AND d.due_at > $2
"""
_NEXT_STEP = """
UPDATE escalation AS e SET next_at = $2
WHERE e.alert_id = ANY($1::bigint []) AND e.state = 'telling' AND e.next_at > $2
    AND e.step < jsonb_array_length(e.plan -> 'steps')
    AND NOT EXISTS (
        SELECT FROM delivery_alert AS about
        INNER JOIN delivery AS d ON about.delivery_id = d.id
        WHERE about.alert_id = e.alert_id AND about.needed AND d.state IN ('planned', 'sending', 'delivered')
    )
"""


async def pass_on(connection: Connection, refused: Sequence[DeliveryAttempt], now: int) -> None:
    """Try the next address of whoever cannot be reached at one; where none is left, the next step is due."""
    if refused:
        alerts = {alert for a in refused for alert in a.alerts}
        await _pass_on(connection, [a.call_id for a in refused], alerts, now)


async def _pass_on(connection: Connection, calls: Sequence[UUID], alerts: Collection[int], now: int) -> None:
    await connection.execute(_NEXT_CONTACT, list(calls), to_datetime(now))
    await connection.execute(_NEXT_STEP, list(alerts), to_datetime(now))


_POSTPONE = """
WITH failing AS (
    SELECT * FROM unnest($1::text [], $2::text [], $3::timestamptz []) AS f (channel, address, due_at)
),

waiting AS (
    SELECT d.id, max(failing.due_at) AS due_at
    FROM delivery AS d
    INNER JOIN failing ON d.channel = failing.channel AND d.address = failing.address
    WHERE d.state = 'planned' AND d.due_at < failing.due_at
    GROUP BY d.id
)

UPDATE delivery AS d SET due_at = waiting.due_at
FROM waiting
WHERE d.id = waiting.id AND d.state = 'planned'
"""


async def postpone(connection: Connection, failed: Sequence[AttemptEnded]) -> None:
    """Let other messages to an address that failed wait as long as the one that did."""
    again = [e for e in failed if e.due_at is not None]
    if again:
        await connection.execute(
            _POSTPONE,
            [e.attempt.channel for e in again],
            [e.attempt.address for e in again],
            [to_datetime(e.due_at) for e in again if e.due_at is not None],
        )


_ABANDONED = """
UPDATE delivery SET
    state = 'planned', ambiguous = true, due_at = $1, answer = 'unknown: the process that sent it ended'
WHERE state = 'sending' AND NOT EXISTS (
    SELECT FROM unnest($2::uuid [], $3::int []) AS ours (id, number)
    WHERE ours.id = delivery.id AND ours.number = delivery.attempts
)
RETURNING id
"""


async def take_over(connection: Connection, ours: Collection[DeliveryAttempt], now: int) -> int:
    """Plan anew what a former process was sending, and return how many messages may arrive twice.

    `ours`: attempts that this process is still making.
    """
    ids, numbers = [one.id for one in ours], [one.number for one in ours]
    return len(await connection.fetch(_ABANDONED, to_datetime(now), ids, numbers))


_NEXT = """
SELECT (extract(EPOCH FROM min(due_at)) * 1000000)::bigint FROM delivery
WHERE state = 'planned' AND channel = ANY($1::text [])
"""


async def next_due(connection: Connection, channels: Sequence[str]) -> int | None:
    """Return when a message of one of these channels is due next."""
    found: int | None = await connection.fetchval(_NEXT, list(channels))
    return found


_DEACTIVATED = """
UPDATE delivery SET state = 'not-needed', answer = 'the person is deactivated'
WHERE state = 'planned' AND due_at <= $1 AND NOT EXISTS (
    SELECT FROM person WHERE person.id = delivery.person_id AND person.disabled_at IS NULL
)
"""


async def drop_deactivated(connection: Connection, now: int) -> None:
    """Close what is due for people who are deactivated, or were deleted."""
    await connection.execute(_DEACTIVATED, to_datetime(now))


_UNKNOWN_CHANNELS = """
UPDATE delivery SET state = 'refused', answer = 'the channel is not set up'
WHERE state = 'planned' AND due_at <= $2 AND channel <> ALL($1::text [])
RETURNING call_id, ARRAY(
    SELECT about.alert_id FROM delivery_alert AS about WHERE about.delivery_id = delivery.id AND about.needed
) AS alerts
"""


async def refuse_unknown(connection: Connection, channels: Sequence[str], now: int) -> None:
    """Refuse what is due by a channel that this installation does not have."""
    rows = await connection.fetch(_UNKNOWN_CHANNELS, list(channels), to_datetime(now))
    if rows:
        await _pass_on(connection, [r["call_id"] for r in rows], {a for r in rows for a in r["alerts"]}, now)
