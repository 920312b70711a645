"""What `nabd init` must know of an installation: five answers, each checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from devices.registry.errors import Invalid
from devices.registry.validation import check_municipality_name, check_time_zone
from devices.texts.languages import LANGUAGES, Language
from notify.channels.email import smtp_server

_DOMAIN = re.compile(r"localhost|(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class BadAnswer(ValueError):
    """An answer cannot be used; the text says what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupAnswers:
    """What was answered.

    Attributes:
        town: name of the first municipality, as in topics.
        domain: by what name people and devices reach the machine; localhost: only the machine itself.
        mail: address of the mail server with its account, smtps://...; empty: nobody is told by e-mail.
    """

    language: Language
    town: str
    time_zone: str
    domain: str
    mail: str = ""

    @property
    def public_url(self) -> str:
        """Where people reach the console."""
        return f"https://{self.domain}"

    @property
    def mail_from(self) -> str:
        """Whom e-mails come from."""
        return f"nabd@{self.domain}" if self.mail else ""


def checked(question: str, said: str) -> str:
    """Return an answer as it is stored.

    Raises:
        BadAnswer: it cannot be used.
    """
    said = said.strip()
    try:
        return _CHECKS[question](said)
    except Invalid as error:
        raise BadAnswer(str(error)) from error


def _language(said: str) -> str:
    if said not in LANGUAGES:
        raise BadAnswer(f"{said!r}: one of {', '.join(LANGUAGES)}")
    return said


def _town(said: str) -> str:
    check_municipality_name(said)
    return said


def _time_zone(said: str) -> str:
    check_time_zone(said)
    return said


def _domain(said: str) -> str:
    if not _DOMAIN.fullmatch(said.lower()):
        raise BadAnswer(f"{said!r} is no name of a machine: nabd.example.org, or localhost")
    return said.lower()


def _mail(said: str) -> str:
    if said:
        try:
            smtp_server(said)
        except ValueError as error:
            raise BadAnswer(f"mail server: {error}; empty: none") from error
    return said


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "language": _language,
    "town": _town,
    "time_zone": _time_zone,
    "domain": _domain,
    "mail": _mail,
}
QUESTIONS = tuple(_CHECKS)
"""In the order in which they are asked: the language of the others first."""


def without_password(address: str) -> str:
    """Return an address as it may be shown."""
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}"))
