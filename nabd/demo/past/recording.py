"""Records a story of the past, whole, in one transaction: the alert, who saw it, the work, and its end.

Each step is stored by the function that stores those of today, with the instant at which it happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from alerts.acknowledgement import acknowledge
from alerts.record import Describe, record
from devices.instants import to_datetime
from firmware_sim.physics.model import generator
from nabd.demo.cast import TOWNSPEOPLE, Occupation, Townsperson
from nabd.demo.past.stories import PastStory, PastVisit
from nabd.demo.people import numbers_of, team_of
from nabd.demo.visits import report_of
from store.audit import PLATFORM, Actor
from store.connection import Connection
from work import orders, steps
from work.assigning import Crew
from work.change import WorkStep, locked, store_change
from work.event import WorkEventType
from work.order import Verification, WorkState

ADDRESS = "demo"

_OPEN_NOW = "SELECT EXISTS (SELECT FROM alert WHERE rule = $1 AND device_id = $2 AND state = 'firing')"
_NEWEST = "SELECT max(id) FROM alert WHERE rule = $1 AND device_id = $2"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCrew:
    """Those who worked in the past: numbers by name, and the operator."""

    municipality: str
    numbers: Mapping[str, int]
    operator: Townsperson
    technicians: Mapping[str, Townsperson]

    def actor(self, name: str) -> Actor:
        """Return somebody as the author of a change."""
        return Actor(principal=self.numbers[name], address=ADDRESS)


async def people_of(connection: Connection, municipality: str) -> PastCrew:
    """Return the people of a town who work."""
    people = TOWNSPEOPLE[municipality]
    return PastCrew(
        municipality=municipality,
        numbers=await numbers_of(connection, people),
        operator=next(one for one in people if one.occupation is Occupation.OPERATOR),
        technicians={one.name: one for one in people if one.occupation is Occupation.TECHNICIAN},
    )


async def record_story(
    connection: Connection, story: PastStory, people: PastCrew, describe: Describe, *, seed: int
) -> bool:
    """Record a story that is over; return whether it could be: not while the same is the matter today."""
    first, last = story.transitions[0], story.transitions[-1]
    async with connection.transaction():
        if await connection.fetchval(_OPEN_NOW, first.rule, first.device_id):
            return False
        await record(connection, story.transitions[:-1], describe, first.received_at)
        alert: int = await connection.fetchval(_NEWEST, first.rule, first.device_id)
        if story.visits:
            await _work(connection, alert, story, people, describe(first), seed=seed)
        await record(connection, [last], describe, last.received_at)
    return True


async def _work(
    connection: Connection,
    alert: int,
    story: PastStory,
    people: PastCrew,
    found: Mapping[str, str],
    *,
    seed: int,
) -> None:
    """Record the order that the alert was in, what each visit did, and what readings said of it."""
    operator, first = people.actor(people.operator.name), story.visits[0]
    await acknowledge(connection, [alert], by=operator, now=first.ordered_at)
    to = Crew(assignee=first.technician, team=team_of(people.municipality))
    made = await orders.make(
        connection, orders.NewOrder(alerts=[alert], to=to), WorkStep(by=operator, now=first.ordered_at)
    )
    for number, visit in enumerate(story.visits):
        if number > 0:
            await _reopened(connection, made.id, alert, visit.ordered_at)
        await _visit(connection, made.id, visit, people, found, seed=seed)
    assert story.verified_at is not None
    await _verified(connection, made.id, story.verified_at)


async def _visit(
    connection: Connection,
    order: int,
    visit: PastVisit,
    people: PastCrew,
    found: Mapping[str, str],
    *,
    seed: int,
) -> None:
    by = people.actor(visit.technician)
    await steps.accept(connection, order, WorkStep(by=by, now=visit.accepted_at))
    await steps.go(connection, order, WorkStep(by=by, now=visit.left_at))
    await steps.begin(connection, order, WorkStep(by=by, now=visit.arrived_at))
    language = people.technicians[visit.technician].language
    report = report_of(generator(seed, "report", str(visit.done_at)), language, found)
    await steps.finish(connection, order, report, WorkStep(by=by, now=visit.done_at))


async def _reopened(connection: Connection, order: int, alert: int, now: int) -> None:
    """Say that the condition still held: the order is its technician's again."""
    before = await locked(connection, order)
    after = replace(
        before,
        state=WorkState.ASSIGNED,
        verification=Verification.FAILED,
        ended_at=None,
        reopened=before.reopened + 1,
    )
    body = {"alert": alert, "assignee": before.assignee_id, "team": before.team_id}
    step, at = WorkStep(by=PLATFORM, now=now), to_datetime(now)
    await store_change(
        connection, before, after, WorkEventType.REOPENED, step, verb="reopen", body=body, happened_at=at
    )


async def _verified(connection: Connection, order: int, now: int) -> None:
    """Say that readings have shown that it is over."""
    before, at = await locked(connection, order), to_datetime(now)
    after = replace(before, verification=Verification.VERIFIED, verify_until=at, verified_at=at)
    step = WorkStep(by=PLATFORM, now=now)
    await store_change(connection, before, after, WorkEventType.VERIFIED, step, verb="verify", happened_at=at)
