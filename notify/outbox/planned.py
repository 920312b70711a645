"""Plans messages that are about no alert. In a transaction of whoever leads. Instants are microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from devices.instants import to_datetime
from notify.facts import Contact
from store.connection import Connection


class NoticeTopic(StrEnum):
    """What a message is about other than alerts."""

    WORK = "work"
    WEEKLY_REPORT = "weekly-report"
    AUDIT_HEADS = "audit-heads"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNotice:
    """One message to one person, by each of their contacts in turn.

    about: what `writing` reads. order: number of the work order, if it is about one.
    """

    topic: NoticeTopic
    contacts: Sequence[Contact]
    about: Mapping[str, Any]
    order: int | None = None
    call: UUID = field(default_factory=uuid4)


_PLAN = """
INSERT INTO delivery
    (id, call_id, person_id, channel, address, topic, order_id, about, state, due_at, created_at)
SELECT id, call_id, person_id, channel, address, topic, order_id, about, 'planned', due_at, $1
FROM unnest($2::uuid [], $3::uuid [], $4::int [], $5::text [], $6::text [], $7::text [], $8::bigint [],
    $9::jsonb [], $10::timestamptz [])
    AS new (id, call_id, person_id, channel, address, topic, order_id, about, due_at)
"""


async def plan(connection: Connection, notices: Sequence[PlannedNotice], now: int) -> int:
    """Store messages, and return how many."""
    each = [(notice, contact) for notice in notices for contact in notice.contacts]
    if each:
        await connection.execute(
            _PLAN,
            to_datetime(now),
            [uuid4() for _ in each],
            [notice.call for notice, _ in each],
            [contact.person_id for _, contact in each],
            [contact.channel for _, contact in each],
            [contact.address for _, contact in each],
            [notice.topic for notice, _ in each],
            [notice.order for notice, _ in each],
            [dict(notice.about) for notice, _ in each],
            [to_datetime(now + round(contact.after_s * 1e6)) for _, contact in each],
        )
    return len(each)
