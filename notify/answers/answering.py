"""What an answer does: the person acknowledges the open alerts of a message, or says that they cannot come.

Every way to answer ends here, so that each refuses the same: what was answered, has expired or ended, and
whoever may answer no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from alerts import acknowledgement, declining, queue
from alerts.queue import Alert
from devices.instants import to_datetime
from devices.registry.errors import NotFound
from notify.answers import offers
from notify.answers.offers import AnswerOffer
from notify.message import ReaderAnswer
from people import person
from people.person import Person
from people.roles import PERMISSIONS, Permission
from store.audit import Actor
from store.connection import Connection

MOST_OF_COMMENT = 1000


class AnswerRefusal(StrEnum):
    """Why an offer cannot be answered."""

    UNKNOWN = "unknown"
    """We never offered it, or it is long over."""
    EXPIRED = "expired"
    USED = "used"
    ENDED = "ended"
    """Every alert that it is about has ended."""
    FORBIDDEN = "forbidden"
    """The person is disabled, or may answer alerts there no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerable:
    """An offer with what stands behind it. alerts: those the person may answer, ended ones too.

    refusal: why it cannot be answered; None where it can.
    """

    offer: AnswerOffer
    person: Person
    alerts: Sequence[Alert]
    refusal: AnswerRefusal | None


async def look(connection: Connection, offer: AnswerOffer, real_now: int) -> Answerable | None:
    """Return an offer with its alerts; None where its person is gone.

    Args:
        real_now: of a clock that runs as people's do.
    """
    try:
        found = await person.person_of(connection, offer.person_id)
    except NotFound:
        return None
    alerts = sorted(await queue.get_alerts(connection, offer.alerts), key=lambda alert: alert.id)
    own = [alert for alert in alerts if _may_answer(found, alert)]
    return Answerable(offer=offer, person=found, alerts=own, refusal=_refusal(offer, found, own, real_now))


def _may_answer(who: Person, alert: Alert) -> bool:
    return any(
        grant.municipality in (None, alert.municipality)
        and Permission.ANSWER_ALERTS in PERMISSIONS[grant.role]
        for grant in who.grants
    )


def _refusal(offer: AnswerOffer, who: Person, alerts: Sequence[Alert], real_now: int) -> AnswerRefusal | None:
    if who.disabled_at is not None or not alerts:
        return AnswerRefusal.FORBIDDEN
    if offer.answered_at is not None:
        return AnswerRefusal.USED
    if to_datetime(real_now) >= offer.expires_at:
        return AnswerRefusal.EXPIRED
    if all(alert.state == "resolved" for alert in alerts):
        return AnswerRefusal.ENDED
    return None


async def give(
    connection: Connection,
    found: Answerable,
    answer: ReaderAnswer,
    comment: str,
    *,
    address: str,
    now: int,
    real_now: int,
) -> AnswerRefusal | None:
    """Answer an offer, once.

    Args:
        comment: what the person adds, at most MOST_OF_COMMENT characters; may be empty.
        address: where the answer comes from, for the audit.
        now: the clock of alerts. real_now: that of people.

    Returns:
        None where it was done.
    """
    if found.refusal is not None:
        return found.refusal
    by = Actor(principal=found.person.id, address=address)
    open_alerts = [alert.id for alert in found.alerts if alert.state == "firing"]
    async with connection.transaction():
        if not await offers.use(connection, found.offer.id, answer, real_now):
            return AnswerRefusal.USED
        if answer is ReaderAnswer.DECLINE:
            await declining.decline(connection, open_alerts, by=by, body=comment, now=now)
            return None
        await acknowledgement.acknowledge(connection, open_alerts, by=by, now=now)
        if comment:
            for alert in open_alerts:
                await queue.comment(connection, alert, by=by, body=comment, now=now)
    return None
