"""What is said to one receiver, apart from who decided it and how it is sent. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from alerts.transition import Severity
from devices.texts.languages import Language

CHANNEL_THREAD = "channel-"
"""How threads begin that say of a channel that it fails."""


class Occasion(StrEnum):
    """Why something is said of an alert."""

    OPENED = "opened"
    WORSE = "worse"
    """Its severity rose."""
    REMINDER = "reminder"
    """Nobody has acknowledged it: it is said again, or to the next receiver."""
    RESOLVED = "resolved"
    ASSIGNED = "assigned"
    """Somebody else made it the reader's."""


class ReaderAnswer(StrEnum):
    """What a reader may answer."""

    ACKNOWLEDGE = "acknowledge"
    DECLINE = "decline"
    """They cannot come: the next receiver is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a message. time_zone: IANA name; at: the instant of writing, UTC."""

    name: str
    language: Language
    time_zone: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNews:
    """What is said of one alert; every text is in the reader's language already.

    sentence: what is the matter, with the newest value while it is open.
    place: title, street and district, as far as known. first_action: of the runbook.
    since: when it opened. late_s: how long after it happened this is said, where that is unusual.
    until: when it ended, of a resolved one; None: at the instant of writing.
    """

    alert: int
    occasion: Occasion
    severity: Severity
    municipality: str
    device: str
    rule: str
    sentence: str
    place: str | None
    since: datetime
    first_action: str | None
    lat: float | None
    lon: float | None
    late_s: float | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkNews:
    """What is said of one work order; every text is in the reader's language already, or its author's.

    event: what happened to it. what: what is to be done, or what the alert says. sentence: what the alert
    says beside that. place, first_action: as of AlertNews. response_due_at: None also once it was accepted.
    reason: why it was cancelled. team: whose it is, where it is no person's. time_zone: IANA name.
    """

    order: int
    event: str
    severity: Severity
    municipality: str
    time_zone: str
    device: str
    what: str
    sentence: str | None
    place: str | None
    response_due_at: datetime | None
    repair_due_at: datetime | None
    first_action: str | None
    reason: str | None
    team: str | None
    lat: float | None
    lon: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationMessage:
    """What one channel hands over to one receiver.

    id: stable, the same in every attempt. thread: the same for all messages about one thing.
    short: within one SMS. html: the same as `text`, as an e-mail's second form; None: there is none.
    url: a signed page where the reader answers; None: nothing can be answered.
    answer_code: what an SMS is answered with. alerts: numbers of the alerts it is about. work: the order.
    """

    id: str
    thread: str
    occasion: Occasion | None
    severity: Severity | None
    language: Language
    subject: str
    text: str
    short: str
    url: str | None = None
    answer_code: str | None = None
    alerts: tuple[int, ...] = ()
    news: tuple[AlertNews, ...] = ()
    html: str | None = None
    work: WorkNews | None = None


class Undelivered(Exception):
    """A channel could not hand a message over; str() is the last answer, without secrets.

    permanent: trying again cannot help. retry_after_s: what the service asked for. may_have_arrived: the
    service had the message, or part of it, and did not answer in time. needless: what it says is true no
    longer, so that nobody is to be told.
    """

    def __init__(
        self,
        answer: str,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        may_have_arrived: bool = False,
        needless: bool = False,
    ) -> None:
        super().__init__(answer)
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.may_have_arrived = may_have_arrived
        self.needless = needless


class NotificationChannel(Protocol):
    """A way to hand messages over."""

    name: str
    """As people's `channels`, routes and settings call it: email, webhook, ntfy, …"""

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Hand a message over to an address of this channel and return the service's answer.

        Raises:
            Undelivered: with the answer, and whether trying again may help.
        """
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
