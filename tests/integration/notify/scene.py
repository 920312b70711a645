"""A notifier without a process: a clock that is set by hand, routes as a table, a channel that notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import asyncpg

from alerts.transition import Severity
from devices.instants import to_datetime
from notify.facts import AlertFacts, Contact, EscalationStep, NotificationPlan
from notify.message import AlertNews, NotificationMessage, Reader, Undelivered
from notify.outbox import batch, ownership
from notify.outbox.attempts import drop_deactivated, take_over
from notify.outbox.batch import BatchParts, BatchResult
from notify.outbox.ownership import Leader
from notify.outbox.ports import no_answers
from notify.outbox.sender import MessageSender
from people.editing import NewPerson, add_person
from store.audit import PLATFORM
from store.connection import Connection
from tests.integration.api import builders

S = 1_000_000


@dataclass(slots=True, kw_only=True)
class TableRouting:
    """One plan for every alert; "person:N" is person N, told by `ways`: (channel, address, after_s)."""

    steps: Sequence[EscalationStep]
    ways: Mapping[int, Sequence[tuple[str, str, float]]]
    repeat_s: float | None = None
    group_for_s: float = 0.0
    resolved: bool = True
    admins: Sequence[int] = ()

    def plan(self, _facts: AlertFacts, _at: int) -> NotificationPlan:
        return NotificationPlan(
            route="all",
            steps=tuple(self.steps),
            repeat_s=self.repeat_s,
            group_for_s=self.group_for_s,
            resolved=self.resolved,
        )

    def people(self, receivers: Sequence[str], _facts: AlertFacts, _at: int) -> Sequence[int]:
        if "admins" in receivers:
            return self.admins
        return [int(one.removeprefix("person:")) for one in receivers]

    def contacts(self, person_id: int, _severity: Severity, _at: int) -> Sequence[Contact]:
        return [
            Contact(person_id=person_id, channel=channel, address=address, after_s=after_s)
            for channel, address, after_s in self.ways[person_id]
        ]

    def addresses(self, person_id: int, channel: str) -> Sequence[str]:
        return [address for there, address, _ in self.ways[person_id] if there == channel]


def compose(
    message_id: str,
    thread: str,
    news: Sequence[AlertNews],
    reader: Reader,
    *,
    url: str | None,
    answer_code: str | None,
) -> NotificationMessage:
    """Write a message as plainly as can be."""
    said = "\n".join(f"{one.occasion} {one.alert} {one.sentence}" for one in news)
    return NotificationMessage(
        id=message_id,
        thread=thread,
        occasion=news[0].occasion,
        severity=news[0].severity,
        language=reader.language,
        subject=said,
        text=said,
        short=said,
        url=url,
        answer_code=answer_code,
        alerts=tuple(one.alert for one in news),
        news=tuple(news),
    )


@dataclass(slots=True, kw_only=True)
class NotedChannel:
    """Keeps what it is given; raises instead what `fails` says of an address."""

    name: str = "ntfy"
    sent: list[tuple[str, NotificationMessage]] = field(default_factory=list)
    fails: dict[str, Undelivered] = field(default_factory=dict)

    async def send(self, message: NotificationMessage, to: str) -> str:
        if to in self.fails:
            raise self.fails[to]
        self.sent.append((to, message))
        return "200 OK"

    async def close(self) -> None: ...

    def told(self) -> list[tuple[str, str, tuple[int, ...]]]:
        """Return of each message its address, occasion and alerts."""
        return [(to, str(m.occasion), m.alerts) for to, m in self.sent]


@dataclass(slots=True, kw_only=True)
class Scene:
    """A leader that is moved by hand; `now` is its clock, in microseconds."""

    connection: asyncpg.Connection
    pool: asyncpg.Pool
    routing: TableRouting
    channels: dict[str, NotedChannel]
    now: int = field(default_factory=builders.now)
    silenced: dict[int, int] = field(default_factory=dict)
    leader: Leader = field(default_factory=lambda: Leader(owner=uuid4()))

    def __post_init__(self) -> None:
        self.sender = self.new_sender()

    sender: MessageSender = field(init=False)

    def new_sender(self) -> MessageSender:
        """Return a sender of this leader; the one before may be thought dead."""
        return MessageSender(
            pool=self.pool,
            channels=self.channels,
            compose=compose,
            answers_of=no_answers,
            kinds=builders.KINDS,
            now=lambda: self.now,
            owner=self.leader.owner,
            silenced=self._silenced,
        )

    async def lead(self) -> None:
        async with self.connection.transaction():
            assert await ownership.claim(self.connection, self.leader, self.now)
            await take_over(self.connection, [], self.now)

    async def follow(self) -> BatchResult:
        """Advance until nothing is due."""
        tools = BatchParts(routing=self.routing, silenced=self._silenced, new_id=uuid4)
        while True:
            done = await batch.advance(self.connection, self.leader, tools, self.now)
            if not done.events and not done.planned:
                return done

    async def _silenced(self, _connection: Connection, alerts: Sequence[int], at: int) -> dict[int, int]:
        return {alert: self.silenced[alert] for alert in alerts if self.silenced.get(alert, at) > at}

    async def send(self) -> None:
        """Hand over whatever is due."""
        await drop_deactivated(self.connection, self.now)
        while await self.sender.turn():
            await self.sender.finish()

    async def turn(self, after_s: float = 0.0) -> None:
        """Let time pass, follow, send, and follow what came of it."""
        self.now += round(after_s * S)
        await self.follow()
        await self.send()
        await self.follow()

    def told(self, channel: str = "ntfy") -> list[tuple[str, str, tuple[int, ...]]]:
        return self.channels[channel].told()

    async def states(self) -> list[tuple[str, str]]:
        """Return channel and state of every delivery, by channel."""
        rows = await self.connection.fetch(
            "SELECT channel, state FROM delivery ORDER BY channel, created_at, id"
        )
        return [(row["channel"], row["state"]) for row in rows]


async def person(connection: asyncpg.Connection, name: str) -> int:
    """Add somebody and return their number."""
    await add_person(connection, NewPerson(name=name), builders.now(), by=PLATFORM)
    found: int = await connection.fetchval("SELECT id FROM person WHERE name = $1", name)
    return found


def steps(*receivers: str, every_s: float = 300.0) -> list[EscalationStep]:
    """Return one step for each of these receivers."""
    return [EscalationStep(after_s=n * every_s, receivers=(one,)) for n, one in enumerate(receivers)]


async def fire(connection: asyncpg.Connection, name: str, *, ago_s: float = 0.0, **more: object) -> int:
    """Open an alert of a device of its own."""
    device = await builders.add(connection, name)
    at = to_datetime(builders.now()) - timedelta(seconds=ago_s)
    return await builders.fire(connection, device, at=at, **more)  # type: ignore[arg-type]
