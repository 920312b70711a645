"""The weekly report as an e-mail: the page is its HTML, the headline its text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import asyncpg

from devices.registry.errors import NotFound
from notify.message import NotificationMessage, Undelivered
from notify.notices.subscriptions import may_read
from notify.outbox.attempts import DeliveryAttempt
from notify.outbox.news import MessageReader
from people.roles import Permission
from work.weekly.page import dates_of, headline, page_of, title_of
from work.weekly.reading import WeekReport, read_report
from work.weekly.wording import wording_of

KEPT_FOR = timedelta(minutes=10)


@dataclass(slots=True)
class WeekReports:
    """Reports as they were read, for all who get one on the same morning.

    One is read at a time, by one connection: alerts are told by the same pool meanwhile.
    """

    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _kept: dict[tuple[str, date, bool], WeekReport] = field(default_factory=dict)

    async def read(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        municipality: str,
        monday: date,
        now: datetime,
        *,
        named: bool,
    ) -> WeekReport:
        """Return a report, of KEPT_FOR ago at most.

        Raises:
            NotFound: there is no such municipality.
        """
        key = (municipality, monday, named)
        async with self._reading:
            self._kept = {k: one for k, one in self._kept.items() if now - one.now < KEPT_FOR}
            if key not in self._kept:
                async with pool.acquire() as connection:
                    self._kept[key] = await read_report(connection, municipality, monday, now, named=named)
            return self._kept[key]


async def weekly_message(
    pool: asyncpg.Pool[asyncpg.Record],
    reports: WeekReports,
    attempt: DeliveryAttempt,
    municipality: str,
    monday: date,
    reader: MessageReader,
    now: datetime,
) -> Callable[[], NotificationMessage]:
    """Read the report and return what writes the message, which takes long and needs no database.

    Raises:
        Undelivered: the reader may not read it any more, or the municipality is gone.
    """
    async with pool.acquire() as connection:
        if not await may_read(connection, attempt.person_id, Permission.READ, municipality):
            raise Undelivered("the person has no role there any more", permanent=True)
        named = await may_read(connection, attempt.person_id, Permission.READ_NAMES, municipality)
    try:
        report = await reports.read(pool, municipality, monday, now, named=named)
    except NotFound as error:
        raise Undelivered(str(error), permanent=True) from None
    return partial(_written, report, str(attempt.id), reader)


def _written(report: WeekReport, message_id: str, reader: MessageReader) -> NotificationMessage:
    style = wording_of(report.town, reader.language)
    title = title_of(report, style)
    said = headline(report, style)
    return NotificationMessage(
        id=message_id,
        thread=f"weekly-{report.town.name}",
        occasion=None,
        severity=None,
        language=reader.language,
        subject=f"{title} ({report.name})",
        text=f"{title}\n{dates_of(report, style)}\n\n{said}",
        short=said,
        html=page_of(report, reader.language),
    )
