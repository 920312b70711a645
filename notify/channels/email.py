"""E-mail over SMTP with TLS: text and HTML, threaded by what it is about.

A message keeps its Message-ID in every attempt, so that a mailbox shows it once. Nothing answers it by itself
(Auto-Submitted, RFC 3834).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum
from urllib.parse import unquote, urlsplit

import aiosmtplib

from devices.instants import Now, to_datetime
from notify.channels import certificates
from notify.channels.left_out import without_address
from notify.message import NotificationMessage, Undelivered

TIMEOUT_S = 30.0
CRLF = "\r\n"
ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}")


class SmtpSecurity(StrEnum):
    """How a connection to a mail server is protected; the values are the schemes of its address."""

    TLS = "smtps"
    """From its beginning."""
    STARTTLS = "smtp"
    """Before anything is said; a server that cannot is refused."""
    NONE = "smtp+plain"
    """Not at all: for a relay on this machine."""


_PORTS = {SmtpSecurity.TLS: 465, SmtpSecurity.STARTTLS: 587, SmtpSecurity.NONE: 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """A mail server and our account there."""

    host: str
    port: int
    security: SmtpSecurity
    username: str | None = None
    password: str | None = None


def smtp_server(text: str) -> SmtpServer:
    """Return the server of an address such as smtps://user:password@mail.example.org.

    Raises:
        ValueError: it is none.
    """
    expected = "expected smtps://, smtp:// (STARTTLS) or smtp+plain://, and [user:password@]host[:port]"
    parts = urlsplit(text)
    if parts.scheme not in set(SmtpSecurity) or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(expected)
    security = SmtpSecurity(parts.scheme)
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or _PORTS[security],
        security=security,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


class EmailChannel:
    """Sends e-mails through one server, each over a connection of its own."""

    name = "email"

    def __init__(
        self,
        server: SmtpServer,
        sender: str,
        now: Now,
        *,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """sender: an address, alone. tls: which certificates are believed; None: those of the machine.

        Raises:
            ValueError: the sender is no address.
        """
        if not ADDRESS.fullmatch(sender):
            raise ValueError(f"{sender!r} is no e-mail address")
        self._server = server
        self._sender = sender
        self._now = now
        self._tls = tls or certificates.of_machine()
        self._timeout_s = timeout_s

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Hand a message over to the server and return its answer.

        Raises:
            Undelivered: the address is none, or the server did not take it.
        """
        mail = self._mail(message, to)
        client = self._client()
        connected = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
                connected = True
                _, answer = await client.sendmail(self._sender, [to], mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise _refused(refused.code, refused.message, to) from None
        except aiosmtplib.SMTPAuthenticationError as error:
            raise Undelivered(f"{error.code} the server does not accept our account") from None
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code, error.message, to) from None
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            raise Undelivered(f"no answer within {self._timeout_s:g} s", may_have_arrived=connected) from None
        except ssl.SSLError as error:
            raise Undelivered(f"no TLS: {error.reason or type(error).__name__}") from None
        except (OSError, aiosmtplib.SMTPException) as error:
            raise Undelivered(f"no answer: {type(error).__name__}", may_have_arrived=connected) from None
        finally:
            # What was taken is taken: a farewell that fails must not send it again.
            client.close()
        return without_address(_one_line(answer), to)

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.security is SmtpSecurity.TLS,
            start_tls=server.security is SmtpSecurity.STARTTLS,
            tls_context=self._tls,
            timeout=self._timeout_s,
        )

    def _mail(self, message: NotificationMessage, to: str) -> bytes:
        if not ADDRESS.fullmatch(to) or not to.isascii():
            raise Undelivered("the address is no e-mail address", permanent=True)
        domain = self._sender.rpartition("@")[2]
        mail = EmailMessage(policy=SMTP)
        try:
            mail["From"] = Address("Nabd", addr_spec=self._sender)
            mail["To"] = Address(addr_spec=to)
        except (MessageError, ValueError, UnicodeError):
            raise Undelivered("the address is no e-mail address", permanent=True) from None
        mail["Date"] = format_datetime(to_datetime(self._now()))
        mail["Message-ID"] = f"<{_word(message.id)}@{domain}>"
        mail["In-Reply-To"] = mail["References"] = f"<{_word(message.thread)}.thread@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["Content-Language"] = message.language
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
        return _subject(_one_line(message.subject)) + mail.as_bytes()

    async def close(self) -> None:
        """Nothing is kept open."""


def _refused(code: int, answer: str, to: str) -> Undelivered:
    return Undelivered(f"{code} {without_address(_one_line(answer), to)}", permanent=code >= 500)


def _subject(text: str) -> bytes:
    """Return the header; EmailMessage loses spaces where it folds words of several scripts."""
    charset = "us-ascii" if text.isascii() else "utf-8"
    return f"Subject: {Header(text, charset, header_name='Subject').encode(linesep=CRLF)}{CRLF}".encode(
        "ascii"
    )


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:500]


def _word(text: str) -> str:
    """Return an id as a Message-ID may hold it."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)
