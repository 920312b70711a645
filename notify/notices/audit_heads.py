"""The heads of a month's audit as an e-mail: lines that `nabd audit verify --heads` reads as they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from devices.texts.catalogue import text
from notify.message import NotificationMessage, Undelivered
from notify.notices.subscriptions import may_read
from notify.outbox.attempts import DeliveryAttempt
from notify.outbox.news import MessageReader
from notify.texts.html_body import html_of
from people.audit import chains
from people.roles import Permission
from store.connection import Connection


async def heads_message(
    connection: Connection, attempt: DeliveryAttempt, about: Mapping[str, Any], reader: MessageReader
) -> NotificationMessage:
    """Return the heads of a month: of one municipality, or of all and the whole platform.

    Raises:
        Undelivered: the reader may not read the audit any more.
    """
    town: str | None = about["municipality"]
    month = date.fromisoformat(about["month"])
    if not await may_read(connection, attempt.person_id, Permission.READ_AUDIT, town):
        raise Undelivered("the person may not read the audit any more", permanent=True)
    found = [
        head
        for head in await chains.heads(connection)
        if head.month == month and town in (None, head.municipality)
    ]
    lines = [msgspec.json.encode(head, enc_hook=str).decode() for head in found]
    subject = text(reader.language, "heads.subject", month=f"{month:%Y-%m}")
    said = text(reader.language, "heads.keep") if lines else text(reader.language, "heads.none")
    return NotificationMessage(
        id=str(attempt.id),
        thread="audit-heads",
        occasion=None,
        severity=None,
        language=reader.language,
        subject=subject,
        text="\n".join([said, "", *lines]),
        short=subject,
        html=html_of(subject, [said], reader.language, exact=lines),
    )
