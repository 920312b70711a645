"""Routes by the API: a document with a mistake changes nothing; whom an alert would be told; calendars."""

from __future__ import annotations

import asyncpg
import httpx2

from notify.routing.schedules import NewSchedule, add_schedule
from people.editing import NewPerson, add_person
from people.identity import of_texts
from people.roles import Role
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.conftest import bearing

YAML = {"Content-Type": "application/yaml"}


async def _rima(connection: asyncpg.Connection) -> None:
    rima = NewPerson(
        name="rima", email="rima@example.org", grants=sorted(of_texts(["operator@tripoli"]), key=str)
    )
    await add_person(connection, rima, builders.now(), by=PLATFORM)


async def test_a_document_with_mistakes_is_refused_with_each_and_the_routes_stay(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await _rima(connection)
    default = await client.get("/api/v1/routes")
    applied = await client.put(
        "/api/v1/routes", content="tell: person:rima", headers={**YAML, "If-Match": default.headers["etag"]}
    )
    wrong = "tell: person:rimma\nroutes: [{match: {municipality: tripolis}, tel: []}]"
    refused = await client.put("/api/v1/routes", content=wrong, headers=YAML)
    late = await client.put("/api/v1/routes", content="tell: []", headers={**YAML, "If-Match": '"0"'})
    binary = await client.put("/api/v1/routes", content=b"\xff", headers=YAML)

    assert (default.json()["version"], default.json()["author"]) == (0, "")
    assert (applied.status_code, applied.headers["etag"]) == (200, '"1"')
    assert [r.status_code for r in (refused, late, binary)] == [422, 412, 400]
    assert [(e["line"], e["column"], e["suggestion"]) for e in refused.json()["errors"]] == [
        (1, 7, "person:rima"),
        (2, 33, "tripoli"),
        (2, 44, "tell"),
    ]
    assert (await client.get("/api/v1/routes")).json()["document"] == "tell: person:rima"
    history = (await client.get("/api/v1/routes/history")).json()["items"]
    assert [(h["version"], h["author"]) for h in history] == [(1, "operator")]


async def test_whom_an_alert_would_be_told_is_said_to_who_reads_names_there(
    client: httpx2.AsyncClient, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    await builders.add_town(connection, "nablus")
    await _rima(connection)
    question = {"device": "bin-1", "severity": "major", "at": "2026-03-01T23:00:00Z"}

    answer = (await client.post("/api/v1/routes/test", json=question)).json()
    foreign = await builders.token(connection, role=Role.ADMIN, municipality="nablus")
    ministry = await builders.token(connection, role=Role.MINISTRY)
    others = []
    for token in (foreign, ministry):
        async with bearing(pool, token) as other:
            others.append((await other.post("/api/v1/routes/test", json=question)).status_code)

    assert (answer["route"], answer["repeat_s"], answer["municipality"]) == ("major", 14_400, "tripoli")
    assert [(t["person"], t["channel"], t["at"], t["after_s"]) for t in answer["told"]] == [
        ("rima", "email", "2026-03-01T23:00:00Z", 0)
    ]
    assert answer["not_set_up"] == []
    assert "example.org" not in str(answer)
    assert others == [404, 403]


async def test_a_schedule_is_a_calendar_and_an_operator_says_who_stands_in(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await _rima(connection)
    layer = {"people": ["rima"], "start": "2026-03-02", "turn_days": 7, "handover": "08:00"}
    schedule = NewSchedule(name="night", municipality="tripoli", layers=[layer])
    await add_schedule(connection, schedule, builders.now(), by=PLATFORM)
    operator = await builders.token(connection, role=Role.OPERATOR, municipality="tripoli")

    async with bearing(pool, operator) as client:
        calendar = await client.get("/api/v1/on-call/night.ics")
        at = {"from_at": "2026-03-09T08:00:00Z", "until_at": "2026-03-10T08:00:00Z"}
        added = await client.post("/api/v1/on-call/night/overrides", json={"person": "rima", **at})
        changed = await client.patch("/api/v1/on-call/night", json={"layers": [layer]})
        shown = (await client.get("/api/v1/on-call/night")).json()

    assert calendar.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY:rima" in calendar.text
    assert (added.status_code, changed.status_code) == (201, 403)
    assert (shown["on_call"], shown["layers"]) == ("rima", [layer])
    assert len(shown["shifts"]) == 1
