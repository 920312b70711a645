"""E-mail against a mail server of the tests: with TLS, without, refusing, hanging, cutting off."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from hypothesis import given, settings
from hypothesis import strategies as st

from notify.channels.email import EmailChannel, SmtpSecurity, SmtpServer, smtp_server
from notify.message import NotificationMessage, Undelivered
from tests.unit.notify.builders import make_message
from tests.unit.notify.channels.services import HttpService, serving
from tests.unit.notify.channels.throwaway_certificates import contexts

FROM = "nabd@tripoli.example"
WORDS = tuple("خطير الحاوية Abu Samra 1 ممتلئة 13% لمسافة 681 م à « (Marché) » 85 °C".split())  # noqa: SIM905
NOW = 1_780_315_200_000_000
"""2026-06-01 12:00Z."""


class Mailbox:
    """Keeps what it is sent, or answers otherwise."""

    def __init__(self, *, at_recipient: str = "250 OK", at_data: str = "250 2.0.0 queued as 1") -> None:
        self.at_recipient, self.at_data = at_recipient, at_data
        self.mails: list[EmailMessage] = []
        self.accounts: list[str] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if self.at_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.at_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail, or not."""
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, _class=EmailMessage, policy=default)
        self.mails.append(mail)
        return self.at_data

    def authenticate(self, *arguments: Any) -> AuthResult:
        """Know one account."""
        login: LoginPassword = arguments[-1]
        self.accounts.append(login.login.decode())
        return AuthResult(success=login.password == b"p@ss", handled=False)


@asynccontextmanager
async def mail_server(
    mailbox: Mailbox, tls: ssl.SSLContext | None = None, security: SmtpSecurity = SmtpSecurity.STARTTLS
) -> AsyncIterator[SmtpServer]:
    """Run a mail server; with STARTTLS it takes no mail without it."""
    starts = tls if security is SmtpSecurity.STARTTLS else None

    def protocol() -> SMTP:
        return SMTP(
            mailbox,
            tls_context=starts,
            require_starttls=starts is not None,
            authenticator=mailbox.authenticate,
            auth_require_tls=starts is not None,
            hostname="mail.example",
        )

    at_once = tls if security is SmtpSecurity.TLS else None
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=at_once)
    port = server.sockets[0].getsockname()[1]
    try:
        yield SmtpServer(host="localhost", port=port, security=security)
    finally:
        server.close()


async def sent(
    server: SmtpServer,
    message: NotificationMessage | None = None,
    *,
    to: str = "amal@example.org",
    tls: ssl.SSLContext | None = None,
    timeout_s: float = 5.0,
) -> str:
    """Send a message through a server."""
    return await EmailChannel(server, FROM, lambda: NOW, tls=tls, timeout_s=timeout_s).send(
        message or make_message(), to
    )


@pytest.mark.parametrize("security", [SmtpSecurity.TLS, SmtpSecurity.STARTTLS])
async def test_mail_is_handed_over_through_tls(tmp_path: Path, security: SmtpSecurity) -> None:
    serving_tls, believing = contexts(tmp_path, "localhost")
    mailbox = Mailbox()

    async with mail_server(mailbox, serving_tls, security) as server:
        answer = await sent(server, tls=believing)

    assert "queued as 1" in answer
    [mail] = mailbox.mails
    assert mail["To"] == "amal@example.org"
    assert mail["From"] == f"Nabd <{FROM}>"
    assert mail["Message-ID"] == "<delivery-1@tripoli.example>"
    assert mail["References"] == mail["In-Reply-To"] == "<alert-7.thread@tripoli.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Mon, 01 Jun 2026 12:00:00 +0000"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == make_message().text.splitlines()
    assert html.get_content().rstrip() == make_message().html


async def test_mail_in_arabic_arrives_as_it_was_written(tmp_path: Path) -> None:
    mailbox = Mailbox()
    arabic = make_message(
        language="ar", subject="حرج: امتلاء الحاوية، ساحة النجمة " * 4, text="الحاوية ممتلئة"
    )

    async with mail_server(mailbox, security=SmtpSecurity.NONE) as server:
        await sent(server, arabic)

    [mail] = mailbox.mails
    body = mail.get_body(("plain",))
    assert body is not None
    assert mail["Subject"] == arabic.subject.strip()
    assert body.get_content().strip() == arabic.text


async def test_account_is_shown_after_tls(tmp_path: Path) -> None:
    serving_tls, believing = contexts(tmp_path, "localhost")
    mailbox = Mailbox()
    async with mail_server(mailbox, serving_tls) as plain:
        server = smtp_server(f"smtp://nabd:p%40ss@localhost:{plain.port}")
        await sent(server, tls=believing)
        wrong = smtp_server(f"smtp://nabd:wr0ng@localhost:{plain.port}")
        with pytest.raises(Undelivered, match="does not accept our account") as refused:
            await sent(wrong, tls=believing)

    assert set(mailbox.accounts) == {"nabd"}
    assert "wr0ng" not in str(refused.value)
    assert not refused.value.permanent


async def test_server_without_tls_gets_no_mail() -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox, None) as server:
        with pytest.raises(Undelivered):
            await sent(server)

    assert mailbox.mails == []


@pytest.mark.parametrize("security", [SmtpSecurity.TLS, SmtpSecurity.STARTTLS])
async def test_server_that_shows_another_certificate_gets_no_mail(
    tmp_path: Path, security: SmtpSecurity
) -> None:
    serving_tls, believing = contexts(tmp_path, "elsewhere.example")
    mailbox = Mailbox()
    async with mail_server(mailbox, serving_tls, security) as server:
        with pytest.raises(Undelivered) as refused:
            await sent(server, tls=believing)

    assert mailbox.mails == []
    assert not refused.value.permanent


@pytest.mark.parametrize(
    ("mailbox", "answer", "permanent"),
    [
        (Mailbox(at_recipient="450 4.2.1 try later"), "450 4.2.1 try later", False),
        (Mailbox(at_recipient="550 5.1.1 no such user"), "550 5.1.1 no such user", True),
        (Mailbox(at_recipient="550 no <amal@Example.org>"), "550 no <(left out)>", True),
        (Mailbox(at_data="451 amal@example.org is full"), "451 (left out) is full", False),
        (Mailbox(at_data="452 4.3.1 disk full"), "452 4.3.1 disk full", False),
        (Mailbox(at_data="554 5.7.1 spam"), "554 5.7.1 spam", True),
    ],
)
async def test_refusal_says_whether_to_try_again(mailbox: Mailbox, answer: str, *, permanent: bool) -> None:
    async with mail_server(mailbox, security=SmtpSecurity.NONE) as server:
        with pytest.raises(Undelivered) as refused:
            await sent(server)

    assert (str(refused.value), refused.value.permanent) == (answer, permanent)


@pytest.mark.parametrize(
    "service",
    [HttpService(b"", hangs=True), HttpService(b"")],
    ids=["hangs", "closes"],
)
@pytest.mark.parametrize("security", SmtpSecurity)
async def test_server_that_gives_no_answer_may_be_tried_again(
    service: HttpService, security: SmtpSecurity
) -> None:
    async with serving(service):
        server = SmtpServer(host="127.0.0.1", port=service.port, security=security)
        with pytest.raises(Undelivered) as failed:
            await sent(server, timeout_s=0.3)

    assert not failed.value.permanent
    assert not failed.value.may_have_arrived


async def test_mail_whose_server_does_not_say_that_it_took_it_may_have_arrived() -> None:
    class Silent(Mailbox):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            await super().handle_DATA(server, session, envelope)
            return await asyncio.Future()

    async with mail_server(mailbox := Silent(), security=SmtpSecurity.NONE) as server:
        with pytest.raises(Undelivered, match="no answer") as failed:
            await sent(server, timeout_s=1.0)

    assert mailbox.mails
    assert failed.value.may_have_arrived


async def test_server_that_is_not_there_may_be_tried_again() -> None:
    with pytest.raises(Undelivered, match="no answer") as failed:
        await sent(SmtpServer(host="127.0.0.1", port=1, security=SmtpSecurity.NONE))

    assert not failed.value.permanent


@pytest.mark.parametrize(
    "to",
    [
        "",
        "amal",
        "a@b\r\nBcc: x@y",
        "a@b, c@d",
        "<a@b>",
        "a b@c",
        'a"@b',
        "a@b\n",
        "@b",
        "a@",
        "x" * 65 + "@b",
    ],
)
async def test_address_that_could_be_more_than_one_is_refused_for_good(to: str) -> None:
    with pytest.raises(Undelivered, match="no e-mail address") as refused:
        await sent(SmtpServer(host="127.0.0.1", port=1, security=SmtpSecurity.NONE), to=to)

    assert refused.value.permanent


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_subject_of_several_scripts_keeps_its_spaces(words: list[str]) -> None:
    channel = EmailChannel(smtp_server("smtp+plain://localhost"), FROM, lambda: NOW)

    mail = channel._mail(make_message(subject=" ".join(words)), "amal@example.org")

    assert message_from_bytes(mail, policy=default)["Subject"] == " ".join(words)
    assert max(map(len, mail.split(b"\r\n"))) <= 78


async def test_subject_and_ids_cannot_add_headers() -> None:
    mailbox = Mailbox()
    evil = make_message(id="1>\r\nBcc: x@y", thread="2\nX: y", subject="a\r\nBcc: evil@example.org\u2028b")

    async with mail_server(mailbox, security=SmtpSecurity.NONE) as server:
        await sent(server, evil)

    [mail] = mailbox.mails
    assert mail["Bcc"] is None
    assert mail["X"] is None
    assert mail["Subject"] == "a Bcc: evil@example.org b"
    assert mail["Message-ID"] == "<1---Bcc--x-y@tripoli.example>"


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("smtps://mail.example", SmtpServer(host="mail.example", port=465, security=SmtpSecurity.TLS)),
        ("smtp://mail.example", SmtpServer(host="mail.example", port=587, security=SmtpSecurity.STARTTLS)),
        ("smtp+plain://localhost:2525", SmtpServer(host="localhost", port=2525, security=SmtpSecurity.NONE)),
    ],
)
def test_address_of_a_server_says_how_it_is_protected(text: str, server: SmtpServer) -> None:
    assert smtp_server(text) == server


@pytest.mark.parametrize("text", ["", "mail.example", "http://x", "smtp://", "smtp://x/y", "smtp://x:port"])
def test_address_of_a_server_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|[Pp]ort"):
        smtp_server(text)


@pytest.mark.parametrize("sender", ["Nabd <nabd@x.example>", "nabd", ""])
def test_sender_is_an_address_alone(sender: str) -> None:
    with pytest.raises(ValueError, match="no e-mail address"):
        EmailChannel(smtp_server("smtp://x"), sender, lambda: 0)
