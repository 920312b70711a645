"""Hands messages over: marks what is due, writes it, sends it beside others, and records the answers.

A bound for each channel keeps one that hangs from holding up the others. Between marking and recording stands
the attempt alone; what a process that died was sending is planned anew. Must not know escalations.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import asyncpg
import structlog

from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.texts.catalogue import text
from devices.texts.languages import DEFAULT, Language
from notify.message import (
    CHANNEL_THREAD,
    NotificationChannel,
    NotificationMessage,
    Occasion,
    Reader,
    Undelivered,
)
from notify.outbox import attempts, channel_health, news, ownership
from notify.outbox.attempts import AttemptEnded, DeliveryAttempt, DeliveryState
from notify.outbox.news import AlertMatter, MessageReader
from notify.outbox.planned import NoticeTopic
from notify.outbox.ports import (
    AnswerMeans,
    AnswersOf,
    MessageWriter,
    NoticeWriter,
    SilencedUntil,
    no_notices,
    nothing_silenced,
)
from store.connection import Connection

log = structlog.get_logger(__name__)

AT_A_TIME = 32
"""Messages of one channel under way."""
GATHER_S = 0.025
"""What becomes due, or is answered, within it shares its statements."""
LONGEST_S = 30.0
"""How long a channel may take to hand one over, whatever time-outs of its own it has."""
CLOSE_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 900.0
LONGEST_ASKED_S = 3600.0
"""For how long a service may put us off at most."""
GIVE_UP_US = 86_400_000_000
GIVE_UP_TOPIC_US: Mapping[NoticeTopic | None, int] = {
    NoticeTopic.WEEKLY_REPORT: 7 * GIVE_UP_US,
    NoticeTopic.AUDIT_HEADS: 28 * GIVE_UP_US,
}
"""A report is late rather than never, until the next one is due."""
ANSWER_LENGTH = 500
_NEVER_SILENCED = (Occasion.RESOLVED, Occasion.ASSIGNED)


@dataclass(slots=True, kw_only=True)
class MessageSender:
    """Sends what is planned while this process leads; answers that are not recorded yet outlive an outage.

    speed: how fast `now` runs. planned: set when there may be something to send; passed_on: when an
    escalation may be due, since somebody could not be reached.
    """

    pool: asyncpg.Pool[asyncpg.Record]
    channels: Mapping[str, NotificationChannel]
    compose: MessageWriter
    answers_of: AnswersOf
    kinds: Kinds
    now: Now
    owner: UUID
    silenced: SilencedUntil = nothing_silenced
    notices: NoticeWriter = no_notices
    speed: float = 1.0
    planned: asyncio.Event = field(default_factory=asyncio.Event)
    passed_on: asyncio.Event = field(default_factory=asyncio.Event)
    _under_way: dict[asyncio.Task[None], DeliveryAttempt] = field(default_factory=dict)
    _ended: list[AttemptEnded] = field(default_factory=list)

    async def take_over(self) -> int:
        """Record what this process sent before it lost the database, and plan anew what another was sending.

        Return how many messages may arrive twice. While this process leads, before anything is sent.
        """
        await self.record()
        async with self.pool.acquire() as connection, connection.transaction():
            await ownership.still(connection, self.owner)
            doubtful = await attempts.take_over(connection, self._under_way.values(), self.now())
        if doubtful:
            log.warning("messages that another process was sending are sent again", messages=doubtful)
        return doubtful

    async def finish(self) -> None:
        """Wait until everything under way has been answered, or CLOSE_S is over.

        What has no answer by then may have arrived; whoever leads next sends it again.
        """
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=CLOSE_S)
        for task in self._under_way:
            task.cancel()

    async def run(self) -> None:
        """Send until cancelled.

        Raises:
            NotLeader: another process tells people now.
        """
        while True:
            self.planned.clear()
            if await self.turn():
                await asyncio.sleep(GATHER_S)
            else:
                await self._wait()

    async def turn(self) -> bool:
        """Record the answers that came, begin to send what is due, and tell whether there was anything.

        Raises:
            NotLeader: another process tells people now.
        """
        ended, free = self._ended[:], self._free()
        async with self.pool.acquire() as connection:
            async with connection.transaction():
                if ended:
                    await self._store(connection, ended)
                marked = await attempts.mark(connection, self.owner, free, self.now()) if free else []
                marked = await self._audible(connection, marked)
            del self._ended[: len(ended)]
            await self._pass_on(connection, ended)
            if marked:
                await self._begin(connection, marked)
        return bool(ended or marked)

    async def _audible(self, connection: Connection, marked: list[DeliveryAttempt]) -> list[DeliveryAttempt]:
        """Put off what is about silenced alerts only, and return the rest.

        The end of an alert, and that somebody gave it to the reader, are told all the same.
        """
        beginnings = [one for one in marked if one.alerts and one.occasion not in _NEVER_SILENCED]
        alerts = {alert for one in beginnings for alert in one.alerts}
        until = await self.silenced(connection, list(alerts), self.now()) if alerts else {}
        off = [
            (one, min(until[alert] for alert in one.alerts))
            for one in beginnings
            if until.keys() >= set(one.alerts)
        ]
        if not off:
            return marked
        await attempts.put_off(connection, off)
        later = {one.id for one, _ in off}
        return [one for one in marked if one.id not in later]

    async def _wait(self) -> None:
        async with self.pool.acquire() as connection:
            due = await attempts.next_due(connection, list(self._free()))
        wait_s = 1.0 if due is None else min(max((due - self.now()) / 1e6 / self.speed, 0.001), 1.0)
        try:
            async with asyncio.timeout(wait_s):
                await self.planned.wait()
        except TimeoutError:
            return
        await asyncio.sleep(GATHER_S)

    def _free(self) -> dict[str, int]:
        used = Counter(one.channel for one in self._under_way.values())
        return {name: AT_A_TIME - used[name] for name in self.channels if used[name] < AT_A_TIME}

    async def _begin(self, connection: Connection, marked: Sequence[DeliveryAttempt]) -> None:
        alerts = {alert for one in marked for alert in one.alerts}
        told = await news.matters(connection, alerts, self.kinds)
        readers = await news.people_reading(connection, {one.person_id for one in marked})
        for one in marked:
            task = asyncio.create_task(self._attempt(one, told, readers.get(one.person_id)))
            self._under_way[task] = one
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        self.planned.set()

    async def _attempt(
        self, attempt: DeliveryAttempt, told: Mapping[int, AlertMatter], reader: MessageReader | None
    ) -> None:
        try:
            message = await self._written(attempt, told, reader)
            async with asyncio.timeout(LONGEST_S):
                answer = await self.channels[attempt.channel].send(message, attempt.address)
            self._ended.append(self._as(attempt, DeliveryState.DELIVERED, answer))
        except Undelivered as error:
            self._ended.append(self._failed(attempt, error))
        except TimeoutError:
            late = Undelivered(f"no answer within {LONGEST_S:.0f} s", may_have_arrived=True)
            self._ended.append(self._failed(attempt, late))
        except Exception as error:  # one message must not end the others, whatever a channel raises
            log.exception("message could not be sent", channel=attempt.channel, delivery=str(attempt.id))
            self._ended.append(self._failed(attempt, Undelivered(type(error).__name__)))

    async def _written(
        self, attempt: DeliveryAttempt, told: Mapping[int, AlertMatter], person: MessageReader | None
    ) -> NotificationMessage:
        if attempt.topic is not None:
            return await self.notices(attempt, person)
        name, language = (person.name, person.language) if person else ("", DEFAULT)
        if attempt.occasion is None:
            return about_channel(attempt, language)
        occasion = attempt.occasion
        found = [told[alert] for alert in attempt.alerts if alert in told]
        if not found:
            raise Undelivered("the alert is gone, or cannot be written", permanent=True)
        now = self.now()
        means = AnswerMeans()
        if occasion is not Occasion.RESOLVED:
            means = await self.answers_of(attempt.id, attempt.person_id, attempt.channel, attempt.alerts)
        return self.compose(
            str(attempt.id),
            _thread(attempt),
            [one.told(occasion, language, now) for one in found],
            Reader(name=name, language=language, time_zone=found[0].time_zone, at=to_datetime(now)),
            url=means.url,
            answer_code=means.code,
        )

    def _failed(self, attempt: DeliveryAttempt, error: Undelivered) -> AttemptEnded:
        return replace(self._after(attempt, error), doubtful=error.may_have_arrived)

    def _after(self, attempt: DeliveryAttempt, error: Undelivered) -> AttemptEnded:
        now = self.now()
        if error.needless:
            return self._as(attempt, DeliveryState.NOT_NEEDED, str(error))
        if error.permanent:
            return self._as(attempt, DeliveryState.REFUSED, str(error))
        if now - attempt.created_at > GIVE_UP_TOPIC_US.get(attempt.topic, GIVE_UP_US):
            return self._as(attempt, DeliveryState.GIVEN_UP, str(error))
        pause_s = pause_before(attempt.number + 1, error.retry_after_s)
        due_at = now + round(pause_s * 1e6 * self.speed)
        return self._as(attempt, DeliveryState.PLANNED, str(error), due_at)

    def _as(
        self, attempt: DeliveryAttempt, state: DeliveryState, answer: str, due_at: int | None = None
    ) -> AttemptEnded:
        return AttemptEnded(
            attempt=attempt, state=state, answer=answer[:ANSWER_LENGTH], at=self.now(), due_at=due_at
        )

    async def record(self) -> None:
        """Store the answers that came since; they are kept where the database is away."""
        if ended := self._ended[:]:
            async with self.pool.acquire() as connection:
                async with connection.transaction():
                    await self._store(connection, ended)
                del self._ended[: len(ended)]
                await self._pass_on(connection, ended)

    async def _store(self, connection: Connection, ended: Sequence[AttemptEnded]) -> None:
        await attempts.record(connection, ended)
        longest_pause = round(LONGEST_PAUSE_S * 1e6 * self.speed)
        await channel_health.note(connection, ended, self.now(), longest_pause)

    async def _pass_on(self, connection: Connection, ended: Sequence[AttemptEnded]) -> None:
        lost = [e.attempt for e in ended if e.state in (DeliveryState.REFUSED, DeliveryState.GIVEN_UP)]
        await attempts.postpone(connection, ended)
        await attempts.pass_on(connection, lost, self.now())
        if lost:
            self.passed_on.set()


def pause_before(attempt: int, asked_s: float | None = None) -> float:
    """Return how many seconds to wait before an attempt, 2 being the first repeat: longer each time.

    asked_s: what the service wants, which may be any number; we heed it up to LONGEST_ASKED_S.
    """
    longest = min(FIRST_PAUSE_S * 2.0 ** min(attempt - 2, 20), LONGEST_PAUSE_S)
    own = longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret
    return max(own, min(asked_s or 0.0, LONGEST_ASKED_S))  # with NaN: our own


def _thread(attempt: DeliveryAttempt) -> str:
    if attempt.digest or len(attempt.alerts) > 1:
        town, rule, district, *_ = (attempt.group_key or str(attempt.call_id)).split("/")
        return f"group-{town}-{rule}-{district}"
    return f"alert-{attempt.alerts[0]}"


def about_channel(attempt: DeliveryAttempt, language: Language) -> NotificationMessage:
    """Return what is said of a channel that fails."""
    channel = attempt.failing_channel or ""
    subject = text(language, "channel.failing", channel=channel)
    return NotificationMessage(
        id=str(attempt.id),
        thread=f"{CHANNEL_THREAD}{channel}",
        occasion=None,
        severity=None,
        language=language,
        subject=subject,
        text=f"{subject}\n{text(language, 'channel.look')}",
        short=subject,
    )
