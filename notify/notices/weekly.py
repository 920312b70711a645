"""The weekly report as an e-mail: the page is its HTML, the headline its text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial

from devices.registry.errors import NotFound
from notify.message import NotificationMessage, Undelivered
from notify.notices.subscriptions import may_read
from notify.outbox.attempts import DeliveryAttempt
from notify.outbox.news import MessageReader
from people.roles import Permission
from store.connection import Connection
from work.weekly.page import dates_of, headline, page_of, title_of
from work.weekly.reading import WeekReport, read_report
from work.weekly.wording import wording_of


async def weekly_message(
    connection: Connection,
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
    if not await may_read(connection, attempt.person_id, Permission.READ, municipality):
        raise Undelivered("the person has no role there any more", permanent=True)
    named = await may_read(connection, attempt.person_id, Permission.READ_NAMES, municipality)
    try:
        report = await read_report(connection, municipality, monday, now, named=named)
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
