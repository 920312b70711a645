"""Routing from the database: whom an alert is told, loaded again after each change; routes put into force."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from alerts.transition import Severity
from devices.instants import to_microseconds
from devices.registry.errors import Conflict
from notify.facts import AlertFacts
from notify.routing import documents
from notify.routing.load import load, reload
from notify.routing.route_reader import RoutesRefused
from notify.routing.routing import Routing
from people import editing
from people.editing import NewPerson, add_person
from people.identity import of_texts
from people.person import Person
from rules.catalogue.editing import apply
from rules.loading.files import parse
from store.audit import PLATFORM
from tests.integration.api.builders import KINDS, add_town, now

FACTS = AlertFacts(
    municipality="tripoli", kind="light", severity=Severity.CRITICAL, rule="light-out", device="light-7"
)
NIGHTS = {"from": "22:00", "until": "06:00", "below": "major"}


async def person(connection: asyncpg.Connection, name: str, *roles: str, **more: Any) -> Person:
    said = {"email": f"{name}@example.org", **more}
    new = NewPerson(name=name, grants=sorted(of_texts(roles), key=str), **said)
    return await add_person(connection, new, now(), by=PLATFORM)


async def test_a_new_installation_tells_its_operators_at_once(connection: asyncpg.Connection) -> None:
    await add_town(connection)
    rima = await person(connection, "rima", "operator@tripoli", phone="+961 3 123 456", quiet_hours=[NIGHTS])
    await person(connection, "samir", "operator@tripoli", email=None)
    admin = await person(connection, "admin-1", "admin")

    routing = await load(connection)

    plan = routing.plan(FACTS, now())
    assert (plan.route, [s.after_s for s in plan.steps]) == ("critical", [0, 900])
    assert routing.people(plan.steps[0].receivers, FACTS, now()) == (rima.id,)
    assert routing.people(plan.steps[1].receivers, FACTS, now()) == (rima.id, admin.id)
    told = [(c.channel, c.address, c.after_s) for c in routing.contacts(rima.id, Severity.CRITICAL, now())]
    assert told == [("email", "rima@example.org", 0), ("sms", "+9613123456", 300)]
    assert routing.receivers[rima.id].time_zone == "Asia/Beirut"
    assert len(routing.receivers[rima.id].quiet_hours) == 1


async def test_routing_is_loaded_again_after_a_change_and_only_then(connection: asyncpg.Connection) -> None:
    await add_town(connection)
    rima = await person(connection, "rima", "operator@tripoli")
    samir = await person(connection, "samir", "operator@tripoli")
    routing = await load(connection)

    assert await reload(connection, routing) is routing
    await editing.disable_person(connection, "rima", now(), by=PLATFORM)
    assert await reload(connection, routing) is not routing
    routing = await reload(connection, routing)
    assert routing.people(["operators", "person:rima"], FACTS, now()) == (samir.id,)
    assert routing.contacts(rima.id, Severity.CRITICAL, now()) == ()

    text = "tell: person:samir"
    await documents.apply_routes(connection, KINDS, text, by=PLATFORM, now=now())
    routing = await reload(connection, routing)
    assert routing.plan(FACTS, now()).steps[0].receivers == ("person:samir",)

    await connection.execute("UPDATE municipality SET time_zone = 'Asia/Hebron'")
    assert (await reload(connection, routing)).receivers[samir.id].time_zone == "Asia/Hebron"


async def test_what_a_rule_says_of_who_cares_is_looked_up(connection: asyncpg.Connection) -> None:
    text = "tell: []\nroutes: [{name: lighting, match: {route: lighting}, tell: operators}]"
    before = await load(connection)
    rule = """
    {id: light-out, kind: light, route: lighting, levels: {major: power_w >= 0},
     summary: {en: "{device}", fr: "{device}", ar: "{device}"}}
    """
    await apply(connection, parse(rule, KINDS), by=PLATFORM, now=now())
    await documents.apply_routes(connection, KINDS, text, by=PLATFORM, now=now())

    routing = await reload(connection, before)

    assert routing.plan(FACTS, now()).route == "lighting"
    assert routing.plan(replace(FACTS, rule="other"), now()).route == "default"


async def test_teams_and_schedules_are_people(connection: asyncpg.Connection) -> None:
    await add_town(connection)
    rima, samir = [await person(connection, name, "technician@tripoli") for name in ("rima", "samir")]
    town = await connection.fetchval("SELECT id FROM municipality WHERE name = 'tripoli'")
    await connection.execute(
        "WITH made AS (INSERT INTO team (name, created_at, updated_at) VALUES ('lights', now(), now())"
        " RETURNING id) INSERT INTO team_member SELECT id, $1 FROM made",
        samir.id,
    )
    layer = {
        "people": [rima.id, samir.id], "start": "2026-01-05", "turn_days": 7, "handover": "08:00",
    }  # fmt: skip
    schedule = await connection.fetchval(
        "INSERT INTO on_call_schedule (name, municipality_id, layers, created_at, updated_at)"
        " VALUES ('night', $1, $2, now(), now()) RETURNING id",
        town,
        [layer],
    )
    before = await load(connection)
    await connection.execute(
        "INSERT INTO on_call_override (schedule_id, person_id, from_at, until_at, author_id, created_at)"
        " VALUES ($1, $2, '2026-01-19T00:00Z', '2026-01-20T00:00Z', 0, now())",
        schedule,
        samir.id,
    )
    after = await reload(connection, before)

    def on_call(routing: Routing, day: str) -> list[str]:
        at = to_microseconds(datetime.fromisoformat(f"{day}T12:00Z"))
        return [routing.receivers[p].name for p in routing.people(["on-call:night"], FACTS, at)]

    assert before.people(["team:lights"], FACTS, now()) == (samir.id,)
    assert [on_call(before, day) for day in ("2026-01-07", "2026-01-14", "2026-01-19")] == [
        ["rima"],
        ["samir"],
        ["rima"],
    ]
    assert on_call(after, "2026-01-19") == ["samir"]


async def test_routes_with_a_mistake_are_refused_and_those_in_force_stay(
    connection: asyncpg.Connection,
) -> None:
    await add_town(connection)
    await person(connection, "rima", "operator@tripoli")
    good = "# as agreed in March\ntell: person:rima\nroutes: [{match: {municipality: tripoli}, repeat: 1h}]\n"
    applied = await documents.apply_routes(connection, KINDS, good, by=PLATFORM, now=now(), version=0)

    bad = "tell: person:rimma\nroutes: [{match: {municipality: tripolis, kind: bim}}]"
    with pytest.raises(RoutesRefused) as refused:
        await documents.apply_routes(connection, KINDS, bad, by=PLATFORM, now=now(), file="r.yaml")

    assert str(refused.value).splitlines() == [
        "r.yaml:1:7: there is no person rimma; did you mean person:rima?",
        "r.yaml:2:33: there is no municipality tripolis; did you mean tripoli?",
        "r.yaml:2:49: there is no kind bim; did you mean bin?",
    ]
    assert applied.version == 1
    assert (await documents.routes_in_force(connection)).document == good


async def test_each_version_is_kept_with_who_applied_it_and_audited_without_names(
    connection: asyncpg.Connection,
) -> None:
    first, second = "tell: operators", "tell: [operators, technicians]"
    for text in (first, first, second):
        await documents.apply_routes(connection, KINDS, text, by=PLATFORM, now=now())
    with pytest.raises(Conflict, match="version 2, not 1"):
        await documents.apply_routes(connection, KINDS, first, by=PLATFORM, now=now(), version=1)

    kept = await documents.history(connection)
    assert [(d.version, d.document) for d in kept] == [(1, first), (2, second)]
    assert (await documents.routes_of_version(connection, 1)).document == first
    assert (await documents.routes_of_version(connection, 0)).author == ""
    rows = await connection.fetch("SELECT before, after FROM audit WHERE action = 'route.apply' ORDER BY id")
    assert [(r["before"]["version"], r["after"]["version"]) for r in rows] == [(0, 1), (1, 2)]
    assert "operators" not in json.dumps([dict(row) for row in rows])
