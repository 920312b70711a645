"""The people of the demo at work: the operator makes orders, technicians answer, drive, mend and report.

They act through the functions and links that people act through. One technician does one thing at a time.
What they mend heals in the simulator too. Must not know what is broken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import structlog

from alerts.queue import Alert, AlertNotFound, get_alerts, list_alerts
from devices.instants import Now, to_microseconds
from devices.registry.errors import RegistryError
from devices.texts.catalogue import text
from firmware_sim.physics.model import SECOND, generator
from nabd.demo.cast import TOWNSPEOPLE, Occupation, Townsperson
from nabd.demo.inbox.answering import InboxPhone
from nabd.demo.inbox.messages import Inbox, InboxMessage
from nabd.demo.people import numbers_of, team_of
from nabd.demo.photo import drawn_photo
from nabd.demo.visits import Visit, how_much_faster, plan_visit, report_of
from notify.message import ReaderAnswer
from store.audit import Actor
from store.connection import Connection
from store.failures import DATABASE_ERRORS
from work import orders, steps
from work.assigning import Crew
from work.change import WorkStep
from work.listing import WorkFilter, list_orders, work_of_alerts
from work.order import WorkOrder, WorkState
from work.photo_files import PhotoDirectory
from work.photos import add_photo
from work.picture import clean

log = structlog.get_logger(__name__)

LOOK_S = 1.0
"""How often somebody looks for work, by the wall clock."""
ADDRESS = "demo"
"""Where they act from, in the audit."""
MOST_OPEN = 8
"""Open orders at which the operator makes no more: there are two technicians."""


@dataclass(slots=True, kw_only=True)
class TownCrew:
    """Everybody who works in a town. repair: mends a device of this name, at once.

    connect: opens a connection to the database, one for each of them. now, speed: of the demo's clock.
    since: alerts that opened before are left alone, microseconds. photos: where what they take is kept.
    """

    municipality: str
    seed: int
    now: Now
    speed: float
    since: int
    connect: Callable[[], Awaitable[Connection]]
    repair: Callable[[str], None]
    photos: PhotoDirectory
    inbox: Inbox
    phone: InboxPhone
    _refused: set[tuple[int, str]] = field(default_factory=set)
    _answering: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Work until cancelled, or until the database is gone."""
        self.inbox.watchers.append(self._told)
        people = TOWNSPEOPLE[self.municipality]
        try:
            async with asyncio.TaskGroup() as group:
                for person in people:
                    if person.occupation is Occupation.OPERATOR:
                        group.create_task(self._at_work(person, self._dispatch))
                    elif person.occupation is Occupation.TECHNICIAN:
                        group.create_task(self._at_work(person, self._visit_next))
        finally:
            self.inbox.watchers.remove(self._told)
            for task in self._answering:
                task.cancel()

    async def _at_work(
        self,
        person: Townsperson,
        work: Callable[[Connection, Townsperson, Actor, np.random.Generator], Awaitable[None]],
    ) -> None:
        rng = generator(self.seed, "work", person.name)
        try:
            connection = await self.connect()
        except DATABASE_ERRORS:
            return
        try:
            number = (await numbers_of(connection, [person]))[person.name]
            by = Actor(principal=number, address=ADDRESS)
            while True:
                # Somebody else was faster, or has changed what there was to do.
                with suppress(RegistryError, AlertNotFound):
                    await work(connection, person, by, rng)
                await asyncio.sleep(LOOK_S)
        except DATABASE_ERRORS as error:
            log.warning("nobody works in the town any more", person=person.name, error=str(error))
        finally:
            connection.terminate()

    async def _dispatch(
        self, connection: Connection, person: Townsperson, by: Actor, rng: np.random.Generator
    ) -> None:
        """Make an order of the worst alert that has waited long enough, as the operator."""
        chosen = WorkFilter(municipality=self.municipality, active=True)
        taken = await list_orders(connection, chosen, now=self.now())
        if len(taken) >= MOST_OPEN:
            return
        firing = await list_alerts(connection, state="firing", municipality=self.municipality)
        waited = [alert for alert in firing if self._has_waited(alert)]
        known = await work_of_alerts(connection, [alert.id for alert in waited])
        waiting = [a for a in waited if a.id not in known]
        if waiting:
            worst = max(waiting, key=lambda alert: (alert.severity.rank, -alert.id))
            free = min(self._technicians, key=lambda name: (self._has(taken, name), rng.random()))
            to = Crew(assignee=free, team=team_of(self.municipality))
            await orders.make(connection, orders.NewOrder(alerts=[worst.id], to=to), self._step(by))

    @property
    def _technicians(self) -> list[str]:
        people = TOWNSPEOPLE[self.municipality]
        return [person.name for person in people if person.occupation is Occupation.TECHNICIAN]

    def _has(self, taken: Sequence[WorkOrder], name: str) -> int:
        return sum(order.assignee == name for order in taken)

    def _has_waited(self, alert: Alert) -> bool:
        visit = self._drawn(generator(self.seed, "dispatch", f"{alert.device} {alert.rule}"))
        opened = max(to_microseconds(alert.opened_at), to_microseconds(alert.detected_at))
        early = to_microseconds(alert.opened_at) < self.since
        return not early and not alert.inhibited_by and self.now() - opened >= visit.dispatch_s * SECOND

    async def _visit_next(
        self, connection: Connection, person: Townsperson, by: Actor, rng: np.random.Generator
    ) -> None:
        """Take the worst order that is theirs or their team's, and do it, as a technician."""
        chosen = WorkFilter(mine=by.principal, state=WorkState.ASSIGNED)
        found = await list_orders(connection, chosen, now=self.now())
        mine = [order for order in found if self._may_take(order, person)]
        if not mine:
            return
        order = max(mine, key=lambda one: (one.severity.rank, -one.id))
        visit = self._drawn(rng)
        await self._town_sleep(visit.accept_s)
        if visit.declines and order.assignee is not None:
            self._refused.add((order.id, person.name))
            await steps.decline(connection, order.id, text(person.language, "visit.busy"), self._step(by))
            return
        await steps.accept(connection, order.id, self._step(by))
        await self._town_sleep(visit.leave_s)
        await steps.go(connection, order.id, self._step(by))
        await self._town_sleep(visit.drive_s)
        await steps.begin(connection, order.id, self._step(by))
        await self._town_sleep(visit.work_s)
        if not visit.fails:
            self.repair(order.device)
        picture = await asyncio.to_thread(lambda: clean(drawn_photo(rng)))
        number = UUID(bytes=rng.bytes(16), version=4)
        await add_photo(connection, self.photos, order.id, picture, self._step(by), photo=number)
        said = {alert.id: alert.summary for alert in await get_alerts(connection, order.alerts)}
        found_there: Mapping[str, str] = next(iter(said.values()), {})
        report = report_of(rng, person.language, found_there)
        await steps.finish(connection, order.id, report, self._step(by))

    def _may_take(self, order: WorkOrder, person: Townsperson) -> bool:
        return order.assignee in (None, person.name) and (order.id, person.name) not in self._refused

    def _told(self, message: InboxMessage) -> None:
        """Answer what a technician is told, after a while."""
        people = {person.name: person for person in TOWNSPEOPLE[self.municipality]}
        person = people.get(message.reader.name) if message.reader else None
        if person is None or person.occupation is not Occupation.TECHNICIAN or message.url is None:
            return
        visit = self._drawn(generator(self.seed, "told", f"{person.name} {message.number}"))
        task = asyncio.create_task(self._answer(message, visit))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, message: InboxMessage, visit: Visit) -> None:
        await self._town_sleep(visit.accept_s)
        present = self.inbox.find(message.number)
        if present is not None and not present.closed:
            answer = ReaderAnswer.DECLINE if visit.declines else ReaderAnswer.ACKNOWLEDGE
            await self.phone.press(present, answer)

    def _drawn(self, rng: np.random.Generator) -> Visit:
        return plan_visit(rng, faster=how_much_faster(self.speed))

    def _step(self, by: Actor) -> WorkStep:
        return WorkStep(by=by, now=self.now(), own_only=False)

    async def _town_sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)
