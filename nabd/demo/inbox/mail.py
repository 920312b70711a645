"""An SMTP server that takes every mail into the inbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session

from nabd.demo.inbox.messages import Inbox

LARGEST = 1_000_000
"""Bytes of one mail."""


class InboxMailServer:
    """Puts what arrives into the inbox, once for each receiver."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take one mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, _class=EmailMessage, policy=default)
        text, html = _body(mail, "plain"), _body(mail, "html")
        for to in envelope.rcpt_tos:
            self._inbox.catch("email", to, str(mail["Subject"] or ""), text or "", html=html)
        return "250 2.0.0 kept in the demo's inbox"


def _body(mail: EmailMessage, form: str) -> str | None:
    part = mail.get_body((form,))
    return None if part is None else str(part.get_content())


@asynccontextmanager
async def catching_mail(inbox: Inbox) -> AsyncIterator[int]:
    """Take mails on a free port of loopback, which is yielded."""

    def protocol() -> SMTP:
        return SMTP(InboxMailServer(inbox), hostname="localhost", data_size_limit=LARGEST)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
