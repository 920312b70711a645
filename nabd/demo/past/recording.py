"""Records a story of the past, whole, in one transaction: the alert, who saw it, the work, and its end.

Each step is stored by the function that stores those of today, with the instant at which it happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alerts.acknowledgement import acknowledge
from alerts.record import Describe, record
from firmware_sim.physics.model import generator
from nabd.demo.cast import TOWNSPEOPLE, Occupation, Townsperson
from nabd.demo.past.stories import PastStory, PastVisit
from nabd.demo.people import numbers_of, team_of
from nabd.demo.visits import report_of
from store.audit import Actor
from store.connection import Connection
from work import orders, steps
from work.assigning import Crew
from work.change import WorkStep

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
        if story.visit is not None:
            await _visit(connection, alert, story.visit, people, describe(first), seed=seed)
        await record(connection, [last], describe, last.received_at)
    return True


async def _visit(
    connection: Connection,
    alert: int,
    visit: PastVisit,
    people: PastCrew,
    found: Mapping[str, str],
    *,
    seed: int,
) -> None:
    operator, technician = people.actor(people.operator.name), people.actor(visit.technician)
    to = Crew(assignee=visit.technician, team=team_of(people.municipality))
    await acknowledge(connection, [alert], by=operator, now=visit.ordered_at)
    made = await orders.make(
        connection, orders.NewOrder(alerts=[alert], to=to), WorkStep(by=operator, now=visit.ordered_at)
    )
    await steps.accept(connection, made.id, WorkStep(by=technician, now=visit.accepted_at))
    await steps.go(connection, made.id, WorkStep(by=technician, now=visit.left_at))
    await steps.begin(connection, made.id, WorkStep(by=technician, now=visit.arrived_at))
    language = people.technicians[visit.technician].language
    report = report_of(generator(seed, "report", str(visit.done_at)), language, found)
    await steps.finish(connection, made.id, report, WorkStep(by=technician, now=visit.done_at))
