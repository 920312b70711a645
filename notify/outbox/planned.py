"""Plans messages that are about no alert. In a transaction of whoever leads. Instants are microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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

    about: what `writing` reads. order: number of the work order, if it is about one. id: of the message,
    where it has one contact. group, until: as of GroupWindow; digest: more may be added to it.
    """

    topic: NoticeTopic
    contacts: Sequence[Contact]
    about: Mapping[str, Any]
    order: int | None = None
    call: UUID = field(default_factory=uuid4)
    id: UUID | None = None
    group: str | None = None
    until: datetime | None = None
    digest: bool = False


_PLAN = """
INSERT INTO delivery
    (id, call_id, person_id, channel, address, topic, order_id, about, state, due_at, created_at, group_key,
    group_until, digest)
SELECT id, call_id, person_id, channel, address, topic, order_id, about, 'planned', due_at, $1, group_key,
    group_until, digest
FROM unnest($2::uuid [], $3::uuid [], $4::int [], $5::text [], $6::text [], $7::text [], $8::bigint [],
    $9::jsonb [], $10::timestamptz [], $11::text [], $12::timestamptz [], $13::boolean [])
    AS new (id, call_id, person_id, channel, address, topic, order_id, about, due_at, group_key, group_until,
        digest)
"""


async def plan(connection: Connection, notices: Sequence[PlannedNotice], now: int) -> int:
    """Store messages, and return how many."""
    each = [(notice, contact) for notice in notices for contact in notice.contacts]
    if each:
        await connection.execute(
            _PLAN,
            to_datetime(now),
            [notice.id or uuid4() for notice, _ in each],
            [notice.call for notice, _ in each],
            [contact.person_id for _, contact in each],
            [contact.channel for _, contact in each],
            [contact.address for _, contact in each],
            [notice.topic for notice, _ in each],
            [notice.order for notice, _ in each],
            [dict(notice.about) for notice, _ in each],
            [to_datetime(now + round(contact.after_s * 1e6)) for _, contact in each],
            [notice.group for notice, _ in each],
            [notice.until for notice, _ in each],
            [notice.digest for notice, _ in each],
        )
    return len(each)
