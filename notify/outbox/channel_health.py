"""Whether channels hand over: the last answer of each and since when it fails, and who is told that it does.

A refusal of one address says nothing of the channel. Instants are microseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.transition import Severity
from devices.instants import to_datetime
from notify.facts import AlertFacts, Contact
from notify.outbox.attempts import AttemptEnded, DeliveryState
from notify.outbox.ports import RoutePlans
from store.connection import Connection

TOLD_AFTER_US = 300_000_000
"""For how long a channel fails before administrators are told by another one."""
OUTAGE_US = 60_000_000
"""For how long a channel hands over nothing before it counts as having been out."""

ADMINS = "admins"
"""As routes call the administrators of an alert's municipality."""
NOWHERE = AlertFacts(municipality="", kind="", severity=Severity.CRITICAL, rule="", device="")
"""The facts of what concerns the whole platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHealth:
    """How a channel does. answer: its last one, at answered_at; None: nothing was sent by it yet.

    failing_since: the first failure after the last message that was handed over. waiting: messages due.
    """

    channel: str
    answered_at: datetime | None
    answer: str | None
    failing_since: datetime | None
    waiting: int


_NOTE = """
INSERT INTO channel_state AS kept (channel, answered_at, answer, failing_since)
SELECT channel, at, answer, CASE WHEN NOT ok THEN at END
FROM unnest($1::text [], $2::timestamptz [], $3::text [], $4::boolean []) AS new (channel, at, answer, ok)
ON CONFLICT (channel) DO UPDATE SET
    answered_at = excluded.answered_at, answer = excluded.answer,
    failing_since = CASE WHEN excluded.failing_since IS NOT NULL
        THEN coalesce(kept.failing_since, excluded.failing_since) END,
    told_at = CASE WHEN excluded.failing_since IS NOT NULL THEN kept.told_at END
"""


_RELEASE = """
UPDATE delivery SET due_at = $2
FROM channel_state AS s
WHERE s.channel = ANY($1::text []) AND s.failing_since <= $3 AND delivery.channel = s.channel
    AND delivery.state = 'planned' AND delivery.attempts > 0 AND delivery.due_at > $2
    AND delivery.due_at <= $4
"""


async def note(connection: Connection, ended: Sequence[AttemptEnded], now: int, longest_pause: int) -> None:
    """Keep the last answer of each channel; what failed is tried again when a channel works after an outage.

    A channel that works between failures had none: one address failed. longest_pause: our own; what waits
    longer does so because the service asked for it.
    """
    of_address = (DeliveryState.REFUSED, DeliveryState.NOT_NEEDED)
    last = {e.attempt.channel: e for e in ended if e.state not in of_address}
    # One that handed anything over in this batch works.
    working = {e.attempt.channel: e for e in ended if e.state is DeliveryState.DELIVERED}
    last |= working
    if working:
        since, until = to_datetime(now - OUTAGE_US), to_datetime(now + longest_pause)
        await connection.execute(_RELEASE, list(working), to_datetime(now), since, until)
    if last:
        await connection.execute(
            _NOTE,
            list(last),
            [to_datetime(e.at) for e in last.values()],
            [e.answer for e in last.values()],
            [e.state is DeliveryState.DELIVERED for e in last.values()],
        )


_FAILING = """
SELECT channel FROM channel_state WHERE failing_since <= $1 AND told_at IS NULL ORDER BY channel FOR UPDATE
"""
_TOLD = "UPDATE channel_state SET told_at = $2 WHERE channel = ANY($1::text [])"
_ALL_FAILING = "SELECT channel FROM channel_state WHERE failing_since IS NOT NULL"
_TELL = """
INSERT INTO delivery (id, call_id, person_id, channel, address, failing_channel, state, due_at, created_at)
SELECT gen_random_uuid(), gen_random_uuid(), person_id, channel, address, failing, 'planned', $5, $5
FROM unnest($1::int [], $2::text [], $3::text [], $4::text []) AS new (person_id, channel, address, failing)
"""


async def tell_of_failing(
    connection: Connection, routing: RoutePlans, channels: Collection[str], now: int
) -> int:
    """Plan a message to the administrators for each channel that has failed for long, by one that works.

    Each outage is told once, as soon as there is somebody whom another channel reaches. Return how many
    channels that is. In a transaction.
    """
    rows = await connection.fetch(_FAILING, to_datetime(now - TOLD_AFTER_US))
    if not rows:
        return 0
    failing = {row["channel"] for row in await connection.fetch(_ALL_FAILING)}
    contacts = _first_that_work(routing, set(channels) - failing, now)
    if not contacts:
        return 0
    await connection.execute(_TOLD, [row["channel"] for row in rows], to_datetime(now))
    told = [(contact, row["channel"]) for row in rows for contact in contacts]
    await connection.execute(
        _TELL,
        [contact.person_id for contact, _ in told],
        [contact.channel for contact, _ in told],
        [contact.address for contact, _ in told],
        [channel for _, channel in told],
        to_datetime(now),
    )
    return len(rows)


def _first_that_work(routing: RoutePlans, working: Collection[str], now: int) -> list[Contact]:
    """Return the first address of each administrator of all municipalities that can be reached."""
    found = []
    for person in routing.people((ADMINS,), NOWHERE, now):
        usable = [c for c in routing.contacts(person, Severity.CRITICAL, now) if c.channel in working]
        found += usable[:1]
    return found


_HEALTH = """
SELECT known.channel, s.answered_at, s.answer, s.failing_since, (
    SELECT count(*) FROM delivery AS d
    WHERE d.channel = known.channel AND d.state = 'planned' AND (d.due_at <= $1 OR d.attempts > 0)
) AS waiting
FROM (
    SELECT channel FROM channel_state
    UNION
    SELECT channel FROM delivery WHERE state = 'planned'
) AS known
LEFT JOIN channel_state AS s ON known.channel = s.channel
ORDER BY known.channel
"""


async def health(connection: Connection, now: int) -> list[ChannelHealth]:
    """Return how the channels do by which anything was, or is to be, sent."""
    return [ChannelHealth(**dict(row)) for row in await connection.fetch(_HEALTH, to_datetime(now))]
