"""What the outbox needs of others: who is told, what is silenced, what is said, how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from alerts.transition import Severity
from notify.facts import AlertFacts, Contact, NotificationPlan
from notify.message import AlertNews, NotificationMessage, Reader, Undelivered
from notify.outbox.attempts import DeliveryAttempt
from notify.outbox.news import MessageReader
from store.connection import Connection


class RoutePlans(Protocol):
    """Routes, teams, schedules and people as they stood when they were read; instants are microseconds."""

    def plan(self, facts: AlertFacts, at: int) -> NotificationPlan:
        """Return what the route of an alert asks for."""
        ...

    def people(self, receivers: Sequence[str], facts: AlertFacts, at: int) -> Sequence[int]:
        """Return who these receivers are at an instant."""
        ...

    def contacts(self, person_id: int, severity: Severity, at: int) -> Sequence[Contact]:
        """Return by which channels a person is told, and how long after the step."""
        ...

    def addresses(self, person_id: int, channel: str) -> Sequence[str]:
        """Return a person's addresses of a channel, whatever their own steps are."""
        ...


LoadRouting = Callable[[Connection], Awaitable[RoutePlans]]


SilencedUntil = Callable[[Connection, Sequence[int], int], Awaitable[dict[int, int]]]
"""Returns until when (microseconds) nobody is told of each of some alerts: it is silenced, or its device is
under work; the others are left out."""


class MessageWriter(Protocol):
    """Writes what a receiver reads, see notify.texts.compose."""

    def __call__(
        self,
        message_id: str,
        thread: str,
        news: Sequence[AlertNews],
        reader: Reader,
        *,
        url: str | None,
        answer_code: str | None,
    ) -> NotificationMessage: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMeans:
    """How a message can be answered: the address of a signed page, the code of an SMS; None: it cannot."""

    url: str | None = None
    code: str | None = None


AnswersOf = Callable[[UUID, int, str, Sequence[int]], Awaitable[AnswerMeans]]
"""Returns how a delivery to a person by a channel about some alerts is answered."""


NoticeWriter = Callable[[DeliveryAttempt, MessageReader | None], Awaitable[NotificationMessage]]
"""Writes what a receiver reads that is about no alert, see notify.notices.writing."""


async def no_notices(_attempt: DeliveryAttempt, _person: MessageReader | None) -> NotificationMessage:
    """Refuse to write any."""
    raise Undelivered("nothing but alerts is told here", permanent=True)


async def nothing_silenced(_connection: Connection, _alerts: Sequence[int], _at: int) -> dict[int, int]:
    """Say that no alert is silenced."""
    return {}


async def no_answers(_delivery: UUID, _person: int, _channel: str, _alerts: Sequence[int]) -> AnswerMeans:
    """Say that nothing can be answered."""
    return AnswerMeans()
