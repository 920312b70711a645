"""Whose work an alert is, over HTTP: who assigns to whom, who takes over, and how it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from alerts import events, queue
from alerts.assignment import assign
from api.http.guards import COOKIE
from people.editing import NewPerson, add_person, delete_person, disable_person
from people.identity import of_texts
from people.roles import Role
from people.sessions import SessionLimits, open_session
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.builders import add, fire


async def person(connection: asyncpg.Connection, name: str, role: str, **more: Any) -> int:
    grants = sorted(of_texts([role]), key=str)
    new = NewPerson(name=name, grants=grants, **more)
    return (await add_person(connection, new, builders.now(), by=PLATFORM)).id


@asynccontextmanager
async def signed_in(
    app: FastAPI, connection: asyncpg.Connection, name: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser in which somebody is signed in."""
    person_id = await connection.fetchval("SELECT id FROM person WHERE name = $1", name)
    limits = SessionLimits()
    session = await open_session(
        connection, person_id, builders.now(), limits, address="127.0.0.1", user_agent=""
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Cookie": f"{COOKIE}={session}", "Sec-Fetch-Site": "same-origin"}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=headers
    ) as client:
        yield client


@pytest.mark.parametrize("end", [disable_person, delete_person])
async def test_open_alerts_of_who_is_disabled_or_deleted_are_nobodys(
    connection: asyncpg.Connection, end: Callable[..., Awaitable[object]]
) -> None:
    alert, over = [await fire(connection, await add(connection, name)) for name in ("bin-1", "bin-2")]
    rima = await person(connection, "rima", "technician@tripoli")
    for one in (alert, over):
        await assign(connection, one, "rima", by=PLATFORM, now=builders.now())
    await connection.execute("UPDATE alert SET state = 'resolved', resolved_at = now() WHERE id = $1", over)

    await end(connection, "rima", builders.now(), by=PLATFORM)

    found = await queue.get_alert(connection, alert)
    assert found is not None
    assert found.assigned_to is None
    assert [e.type for e in await events.history(connection, alert)][-2:] == ["assigned", "unassigned"]
    assert [e.type for e in await events.history(connection, over)][-1] == "assigned"
    [audited] = await connection.fetch(
        "SELECT subject, before FROM audit WHERE action = 'alert.assign' AND after ->> 'assignee' IS NULL"
    )
    assert (audited["subject"], audited["before"]) == (str(alert), {"assignee": rima})


async def test_alert_is_assigned_taken_over_and_given_back(
    app: FastAPI, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await fire(connection, await add(connection, "bin-1"))
    await fire(connection, await add(connection, "bin-2"))
    rima = await person(connection, "rima", "viewer@tripoli", display_name="ريما")
    sami = await person(connection, "sami", "technician@tripoli")
    place = f"/api/v1/alerts/{alert}"

    for _ in range(2):
        assigned = (await client.post(f"{place}/assign", json={"to": "rima"})).json()
        assert (assigned["assigned_to"], assigned["assignee"]) == ("rima", "ريما")
    async with signed_in(app, connection, "sami") as technician:
        assert (await technician.post(f"{place}/assign", json={"to": "rima"})).status_code == 403
        assert (await technician.post(f"{place}/take")).json()["assigned_to"] == "sami"
        mine = (await technician.get("/api/v1/alerts?assigned=me")).json()["items"]
    listed = {
        who: [a["device"] for a in (await client.get(f"/api/v1/alerts?assigned={who}")).json()["items"]]
        for who in ("sami", "rima", "nobody", "me")
    }
    free = (await client.post(f"{place}/assign", json={"to": None})).json()
    history = (await client.get(place)).json()["history"]
    audited = await connection.fetch(
        "SELECT before, after FROM audit WHERE action = 'alert.assign' ORDER BY id"
    )

    assert [a["id"] for a in mine] == [alert]
    assert listed == {"sami": ["bin-1"], "rima": [], "nobody": ["bin-2"], "me": []}
    assert (free["assigned_to"], free["assignee"]) == (None, None)
    assert [(e["type"], e["author"], e["body"]) for e in history[1:]] == [
        ("assigned", "operator", "ريما"), ("assigned", "sami", "sami"), ("unassigned", "operator", ""),
    ]  # fmt: skip
    assert [(r["before"], r["after"]) for r in audited] == [
        ({"assignee": None}, {"assignee": rima}),
        ({"assignee": rima}, {"assignee": sami}),
        ({"assignee": sami}, {"assignee": None}),
    ]


async def test_only_people_who_belong_there_are_assigned_an_alert(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await fire(connection, await add(connection, "bin-1"))
    await builders.add_town(connection, "nablus")
    await person(connection, "amal", "operator@nablus")
    await person(connection, "everywhere", "viewer")
    await person(connection, "gone", "operator@tripoli")
    await connection.execute("UPDATE person SET disabled_at = now() WHERE name = 'gone'")

    answers = {
        name: (await client.post(f"/api/v1/alerts/{alert}/assign", json={"to": name})).status_code
        for name in ("amal", "gone", "unknown", "everywhere")
    }

    assert answers == {"amal": 422, "gone": 409, "unknown": 404, "everywhere": 200}
    assert (await client.post(f"/api/v1/alerts/{alert}/take")).status_code == 409
    assert (await client.post("/api/v1/alerts/999/assign", json={"to": None})).status_code == 404


async def test_who_may_not_see_names_neither_reads_nor_finds_out_whose_work_it_is(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await fire(connection, await add(connection, "bin-1"))
    await person(connection, "rima", "viewer@tripoli")
    await client.post(f"/api/v1/alerts/{alert}/assign", json={"to": "rima"})
    token = await builders.token(connection, role=Role.MINISTRY, municipality="tripoli")
    headers = {"Authorization": f"Bearer {token}"}

    shown = (await client.get(f"/api/v1/alerts/{alert}", headers=headers)).json()
    asked = [
        (await client.get(f"/api/v1/alerts?assigned={who}", headers=headers)).json()["items"]
        for who in ("rima", "nobody")
    ]

    assert (shown["assigned_to"], shown["assignee"], shown["history"][-1]["body"]) == (None, None, None)
    assert asked == [[], []]
