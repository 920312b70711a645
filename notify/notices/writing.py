"""Writes messages that are about no alert when they are sent: the newest of what they are about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg

from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.texts.languages import DEFAULT
from notify.message import NotificationMessage, Reader, Undelivered
from notify.notices.audit_heads import heads_message
from notify.notices.weekly import WeekReports, weekly_message
from notify.notices.work_news import still_said, work_news
from notify.outbox.attempts import DeliveryAttempt
from notify.outbox.news import MessageReader
from notify.outbox.planned import NoticeTopic
from notify.texts.compose import MOST_LINES
from notify.texts.work_message import work_digest, work_message


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTexts:
    """What the notifier asks for the text of a notice. now: its clock."""

    pool: asyncpg.Pool[asyncpg.Record]
    kinds: Kinds
    now: Now
    reports: WeekReports = field(default_factory=WeekReports)

    async def __call__(self, attempt: DeliveryAttempt, person: MessageReader | None) -> NotificationMessage:
        """Return what is sent.

        Raises:
            Undelivered: what it is about is gone, or the reader may not read it any more.
        """
        reader = person or MessageReader(name="", language=DEFAULT)
        about: Mapping[str, Any] = attempt.about or {}
        match attempt.topic:
            case NoticeTopic.WORK:
                return await self._work(attempt, about, reader)
            case NoticeTopic.WEEKLY_REPORT:
                return await self._weekly(attempt, about, reader)
            case NoticeTopic.AUDIT_HEADS:
                async with self.pool.acquire() as connection:
                    return await heads_message(connection, attempt, about, reader)
        raise Undelivered("nobody knows what it is about", permanent=True)

    async def _work(
        self, attempt: DeliveryAttempt, about: Mapping[str, Any], reader: MessageReader
    ) -> NotificationMessage:
        event, now = about["event"], self.now()
        events: dict[int, int] = dict(about.get("orders") or [(attempt.order, about["event_id"])])
        async with self.pool.acquire() as connection:
            orders = await still_said(connection, event, about.get("to"), list(events), attempt.person_id)
            if not orders:
                raise Undelivered("it is over, or somebody else's", needless=True)
            found = [
                await work_news(connection, one, event, events[one], reader.language, self.kinds, now)
                for one in orders[:MOST_LINES]
            ]
        zone = found[0].time_zone
        told = Reader(name=reader.name, language=reader.language, time_zone=zone, at=to_datetime(now))
        if len(orders) == 1:
            return work_message(str(attempt.id), found[0], told)
        return work_digest(str(attempt.id), found, len(orders), told)

    async def _weekly(
        self, attempt: DeliveryAttempt, about: Mapping[str, Any], reader: MessageReader
    ) -> NotificationMessage:
        found = await weekly_message(
            self.pool, self.reports, attempt, about["municipality"], date.fromisoformat(about["monday"]),
            reader, to_datetime(self.now()),
        )  # fmt: skip
        return await asyncio.to_thread(found)
