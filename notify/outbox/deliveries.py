"""Planned messages in their tables: what was said of alerts so far, open groups, new ones, those not needed.

Instants are microseconds. A delivery that is being sent is never changed here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from devices.instants import to_datetime, to_microseconds
from notify.outbox.grouping import GroupWindow, NewMessages
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOfAlert:
    """One message about one alert, as it stands.

    told: it arrived, or may have and is not sent again. uncertain: it is on its way, or may have arrived and
    is sent again.
    """

    person_id: int
    channel: str
    address: str
    occasion: str
    state: str
    told: bool
    uncertain: bool
    due_at: int
    attempts: int


_OF_ALERTS = """
SELECT about.alert_id, d.person_id, d.channel, d.address, d.occasion, d.state, d.due_at, d.attempts,
    d.state = 'delivered' OR NOT about.needed AS told,
    about.needed AND (d.state = 'sending' OR (d.state = 'planned' AND d.ambiguous)) AS uncertain
FROM delivery_alert AS about
INNER JOIN delivery AS d ON about.delivery_id = d.id
WHERE about.alert_id = ANY($1::bigint []) AND (about.needed OR d.ambiguous)
ORDER BY d.created_at
"""


async def of_alerts(connection: Connection, alerts: Collection[int]) -> Mapping[int, list[DeliveryOfAlert]]:
    """Return what was said of alerts, may have been said, and is yet to be said, by alert."""
    found: dict[int, list[DeliveryOfAlert]] = defaultdict(list)
    for row in await connection.fetch(_OF_ALERTS, list(alerts)):
        values = dict(row)
        alert = values.pop("alert_id")
        found[alert].append(DeliveryOfAlert(**{**values, "due_at": to_microseconds(row["due_at"])}))
    return found


# A digest is added to while nobody has begun to send it.
_WINDOWS = """
WITH joinable AS (
    SELECT id FROM delivery
    WHERE group_key = ANY($1::text []) AND group_until > $2 AND digest AND state = 'planned' AND attempts = 0
    ORDER BY id
    FOR UPDATE
)
SELECT d.group_key, d.group_until, d.id, d.call_id, d.channel, d.address, d.digest,
    joinable.id IS NOT NULL AS joins
FROM delivery AS d
LEFT JOIN joinable ON d.id = joinable.id
WHERE d.group_key = ANY($1::text []) AND d.group_until > $2
"""


async def windows(connection: Connection, groups: Collection[str], now: int) -> dict[str, GroupWindow]:
    """Return the open ones of these groups; their digests stay as they are until the transaction ends."""
    found: dict[str, GroupWindow] = {}
    for row in await connection.fetch(_WINDOWS, list(groups), to_datetime(now)):
        window = found.setdefault(row["group_key"], GroupWindow(until=to_microseconds(row["group_until"])))
        if row["digest"]:
            window.call = row["call_id"]
        if row["joins"]:
            window.digests[row["channel"], row["address"]] = row["id"]
    return found


_INSERT = """
INSERT INTO delivery
    (id, call_id, person_id, channel, address, occasion, group_key, group_until, digest, due_at, state,
    created_at)
SELECT id, call_id, person_id, channel, address, occasion, group_key, group_until, digest, due_at, 'planned',
    $1
FROM unnest($2::uuid [], $3::uuid [], $4::int [], $5::text [], $6::text [], $7::text [], $8::text [],
    $9::timestamptz [], $10::boolean [], $11::timestamptz [])
    AS new (id, call_id, person_id, channel, address, occasion, group_key, group_until, digest, due_at)
"""
_INSERT_ALERTS = """
INSERT INTO delivery_alert (delivery_id, alert_id)
SELECT * FROM unnest($1::uuid [], $2::bigint [])
ON CONFLICT DO NOTHING
"""


async def insert(connection: Connection, placed: NewMessages, now: int) -> None:
    """Store new messages, and what joins those that are there."""
    if placed.new:
        await connection.execute(
            _INSERT,
            to_datetime(now),
            [d.id for d in placed.new],
            [d.call for d in placed.new],
            [d.contact.person_id for d in placed.new],
            [d.contact.channel for d in placed.new],
            [d.contact.address for d in placed.new],
            [d.occasion for d in placed.new],
            [d.group for d in placed.new],
            [None if d.until is None else to_datetime(d.until) for d in placed.new],
            [d.digest for d in placed.new],
            [to_datetime(d.due_at) for d in placed.new],
        )
    about = [(d.id, alert) for d in placed.new for alert in d.alerts] + placed.joined
    if about:
        await connection.execute(_INSERT_ALERTS, [one for one, _ in about], [alert for _, alert in about])


_LOCK = """
SELECT d.id FROM delivery AS d
WHERE d.state = 'planned' AND d.occasion <> 'resolved' AND NOT (d.ambiguous AND EXISTS (
    SELECT FROM delivery_attempt AS a WHERE a.delivery_id = d.id AND a.ended_at IS NULL
)) AND EXISTS (
    SELECT FROM delivery_alert AS about
    WHERE about.delivery_id = d.id AND about.alert_id = ANY($1::bigint []) AND about.needed
)
ORDER BY d.id
FOR UPDATE
"""
_DROP = """
UPDATE delivery_alert SET needed = false
WHERE delivery_id = ANY($1::uuid []) AND alert_id = ANY($2::bigint [])
"""
_CLOSE = """
UPDATE delivery SET state = 'not-needed', answer = $2
WHERE id = ANY($1::uuid []) AND NOT EXISTS (
    SELECT FROM delivery_alert AS about WHERE about.delivery_id = delivery.id AND about.needed
)
"""


async def drop(connection: Connection, alerts: Sequence[int], why: str) -> None:
    """Take alerts out of the messages that were not sent; one that is about nothing else is not needed.

    Messages of which an attempt never ended, and those that say that an alert is over, stay. Who may have got
    one that was not answered in time counts as told.
    """
    if not alerts:
        return
    ids = [row["id"] for row in await connection.fetch(_LOCK, list(alerts))]
    if ids:
        await connection.execute(_DROP, ids, list(alerts))
        await connection.execute(_CLOSE, ids, why)
