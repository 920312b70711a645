"""Adds the people of a simulated town: their roles and addresses, a team, who is on call, and the routes.

Knows who they are from `cast`; must not know what is simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES
from nabd.demo.cast import TOWNSPEOPLE, Occupation, Townsperson
from notify.routing.documents import apply_routes
from notify.routing.schedules import NewSchedule, add_schedule
from notify.routing.teams import NewTeam, add_team
from people.editing import NewPerson, add_person
from people.first import address_of
from people.identity import Grant
from people.links import create_link
from people.roles import Role
from store.audit import PLATFORM
from store.connection import Connection

LINK_FOR = timedelta(hours=12)
TURN_DAYS = 7
ROLES = {
    Occupation.OPERATOR: Role.OPERATOR,
    Occupation.TECHNICIAN: Role.TECHNICIAN,
    Occupation.SUPERVISOR: Role.OPERATOR,
    Occupation.ADMIN: Role.ADMIN,
}

_ROUTES = """\
# Of the simulated town {town}: `nabd route show` prints them, docs/routes.md says what each line means.
tell: on-call:{on_call}
routes:
  - name: critical
    match: {{severity: critical}}
    steps:
      - tell: [on-call:{on_call}, operators]
      - after: 5m
        tell: [team:{team}, person:{supervisor}]
    repeat: 30m
  - name: major
    match: {{severity: major}}
    steps:
      - tell: on-call:{on_call}
      - after: 15m
        tell: operators
    repeat: 4h
  - name: minor
    match: {{severity: minor}}
    steps:
      - after: 5m
        tell: operators
    group_for: 1h
  - name: warning
    match: {{severity: warning}}
    steps:
      - after: 15m
        tell: operators
    group_for: 4h
    resolved: false
    quiet_hours: 20:00-07:00
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """A person of the town, and the address that signs them in once."""

    person: Townsperson
    url: str


def team_of(municipality: str) -> str:
    """Return the name of the town's team."""
    return f"{municipality}-field"


def on_call_of(municipality: str) -> str:
    """Return the name of the town's on-call schedule."""
    return f"{municipality}-on-call"


async def add_townspeople(
    connection: Connection,
    kinds: Kinds,
    municipality: str,
    now: Now,
    *,
    hook: Callable[[str], str] | None = None,
) -> None:
    """Add the people of a town, their team, their schedule and the routes; all or nothing.

    hook: returns the address of a person's webhook, which the supervisor has too; None: there is none.
    """
    people = TOWNSPEOPLE[municipality]
    technicians = _names(people, Occupation.TECHNICIAN)
    async with connection.transaction():
        for person in people:
            await add_person(connection, _new(person, municipality, hook), now(), by=PLATFORM)
        team = NewTeam(
            name=team_of(municipality),
            title={language: text(language, "inbox.team") for language in LANGUAGES},
            municipality=municipality,
            members=technicians,
        )
        await add_team(connection, team, now(), by=PLATFORM)
        start = to_datetime(now()).date() - timedelta(days=5 * TURN_DAYS)
        turns = {
            "people": technicians,
            "start": start.isoformat(),
            "turn_days": TURN_DAYS,
            "handover": "08:00",
        }
        schedule = NewSchedule(
            name=on_call_of(municipality),
            title={language: text(language, "inbox.on_call") for language in LANGUAGES},
            municipality=municipality,
            layers=[turns],
        )
        await add_schedule(connection, schedule, now(), by=PLATFORM)
        routes = _ROUTES.format(
            town=municipality,
            team=team.name,
            on_call=schedule.name,
            supervisor=_names(people, Occupation.SUPERVISOR)[0],
        )
        await apply_routes(connection, kinds, routes, by=PLATFORM, now=now())


def _new(person: Townsperson, municipality: str, hook: Callable[[str], str] | None) -> NewPerson:
    """Return a person to add; technicians get an SMS where nobody has answered for five minutes."""
    channels: dict[str, str] = {}
    steps: list[dict[str, object]] = []
    if person.occupation is Occupation.TECHNICIAN:
        channels["ntfy"] = person.topic(municipality)
        steps = [{"channel": "ntfy", "after_s": 0}, {"channel": "sms", "after_s": 300}]
    elif person.occupation is Occupation.SUPERVISOR and hook is not None:
        channels["webhook"] = hook(person.name)
    return NewPerson(
        name=person.name,
        display_name=person.display_name,
        language=person.language,
        phone=person.phone,
        email=person.email(municipality),
        channels=channels,
        steps=steps,
        grants=[Grant(role=ROLES[person.occupation], municipality=municipality)],
    )


def _names(people: Sequence[Townsperson], occupation: Occupation) -> list[str]:
    return [person.name for person in people if person.occupation is occupation]


_NUMBERS = "SELECT name, id FROM person WHERE name = ANY($1)"


async def numbers_of(connection: Connection, people: Sequence[Townsperson]) -> dict[str, int]:
    """Return the numbers of people by name; who was deleted is left out."""
    rows = await connection.fetch(_NUMBERS, [person.name for person in people])
    return {row["name"]: row["id"] for row in rows}


async def links_of(connection: Connection, municipality: str, base: str, now: int) -> list[SignInLink]:
    """Return a new link of each person of a town; `now` as people's clocks run, in microseconds."""
    people = TOWNSPEOPLE[municipality]
    numbers = await numbers_of(connection, people)
    return [
        SignInLink(
            person=person,
            url=address_of(
                base,
                await create_link(connection, numbers[person.name], now, by=PLATFORM, good_for=LINK_FOR),
            ),
        )
        for person in people
    ]
