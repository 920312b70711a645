"""Commands by HTTP: who may give them, what is refused, what they become; two administrators for many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.http.guards import COOKIE
from devices.commands.answered import record_response
from devices.commands.configured import record_reports
from devices.wire.channels import Report
from people.editing import NewPerson, add_person
from people.identity import of_texts
from people.person import get_person
from people.sessions import SessionLimits, open_session
from store.audit import PLATFORM
from tests.integration.api import builders

ASKED = {
    "municipality": "tripoli",
    "kind": "light",
    "name": "set_dimming",
    "args": {"pct": 60},
    "reason": "storm",
}


@asynccontextmanager
async def person(
    app: FastAPI, connection: asyncpg.Connection, name: str, role: str = "admin"
) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser in which somebody is signed in."""
    new = NewPerson(name=name, grants=sorted(of_texts([role]), key=str))
    await add_person(connection, new, builders.now(), by=PLATFORM)
    limits = SessionLimits(idle=timedelta(days=9_999), longest=timedelta(days=9_999))
    known = await get_person(connection, name)
    session = await open_session(
        connection, known.id, builders.now(), limits, address="127.0.0.1", user_agent="test"
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
        browser.cookies.set(COOKIE, session)
        yield browser


async def test_command_is_checked_given_once_and_followed(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "light-1", kind="light")
    url = "/api/v1/devices/light-1/commands"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"name": "set_dimming", "args": {"pct": 101}}, "args.pct: 101 is not a number from 0 to 100 %"),
        ({"name": "set_dimming"}, "args.pct: set_dimming needs a number from 0 to 100 %"),
        ({"name": "set_dimmin", "args": {}}, "name: a light does not understand 'set_dimmin'"),
        ({"name": "report_now", "expires_after_s": 604_801}, "expires_after_s"),
        ({"name": "set_dimming", "args": {"pct": 1, "x": "y" * 20_000}}, "args: 16,384 bytes"),
    ]
    for body, said in wrong:
        refused = await client.post(url, json=body)
        assert refused.status_code == 422
        assert said in refused.text

    body = {"name": "set_dimming", "args": {"pct": 60}}
    given = [(await client.post(url, json=body, headers={"Idempotency-Key": "k"})).json() for _ in range(2)]
    assert given[0] == given[1]
    assert (given[0]["status"], given[0]["author"]) == ("queued", "operator")
    await record_response(connection, "light-1", UUID(given[0]["id"]), "failed", builders.now, detail="stuck")

    (listed,) = (await client.get(url)).json()["items"]
    assert (listed["status"], listed["detail"]) == ("failed", "stuck")
    assert (await client.get("/api/v1/commands?status=failed")).json()["items"] == [listed]


async def test_command_to_many_is_given_by_two_administrators_and_never_by_a_token(
    app: FastAPI, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    for number in (1, 2, 3):
        await builders.add(connection, f"light-{number}", kind="light")
    await builders.add(connection, "bin-1")

    async with person(app, connection, "rima") as rima, person(app, connection, "samir") as samir:
        asked = await rima.post("/api/v1/command-requests", json=ASKED)
        number = asked.json()["id"]
        approve = f"/api/v1/command-requests/{number}/approve"
        assert (asked.status_code, asked.json()["devices"], asked.json()["own"]) == (201, 3, True)
        assert (await client.post(approve)).status_code == 403, "a token is nobody"
        same = await rima.post(approve)
        assert (same.status_code, same.json()["type"]) == (409, "urn:nabd:problem:conflict")
        assert await connection.fetchval("SELECT count(*) FROM command") == 0

        both = await asyncio.gather(samir.post(approve), samir.post(approve))
        assert sorted(answer.status_code for answer in both) == [200, 409]

    (stands,) = (await client.get("/api/v1/command-requests")).json()["items"]
    assert (stands["state"], stands["decided_by"], stands["answers"]) == ("approved", "samir", {"queued": 3})
    assert (await client.get("/api/v1/commands?status=lost")).status_code == 422
    given = (await client.get(f"/api/v1/commands?request={number}")).json()["items"]
    assert sorted(one["device"] for one in given) == ["light-1", "light-2", "light-3"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"args": {"pct": 500}}, "args.pct"),
        ({"kind": "tram"}, "kind"),
        ({"parent": "nothing"}, "no device in service is meant"),
        ({"reason": " "}, "reason"),
        ({"municipality": "atlantis"}, "municipality"),
    ],
)
async def test_request_that_cannot_be_carried_out_is_refused(
    app: FastAPI, connection: asyncpg.Connection, change: dict[str, Any], said: str
) -> None:
    await builders.add(connection, "light-1", kind="light")
    async with person(app, connection, "rima") as rima:
        answer = await rima.post("/api/v1/command-requests", json={**ASKED, **change})
    assert answer.status_code in (404, 422)
    assert said in answer.text


async def test_operator_commands_one_device_and_asks_for_none_of_many(
    app: FastAPI, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "light-1", kind="light")
    async with person(app, connection, "omar", "operator@tripoli") as omar:
        one = await omar.post("/api/v1/devices/light-1/commands", json={"name": "report_now"})
        many = await omar.post("/api/v1/command-requests", json=ASKED)
    async with person(app, connection, "vera", "viewer") as vera:
        none = await vera.post("/api/v1/devices/light-1/commands", json={"name": "report_now"})
    assert [answer.status_code for answer in (one, many, none)] == [202, 403, 403]


async def test_configuration_is_changed_against_its_version_and_drift_is_listed(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "light-1", kind="light")
    await builders.add(connection, "light-2", kind="light")
    url = "/api/v1/devices/light-1/config"
    for desired, said in (
        ({"night_pct": 5}, "desired.night_pct: 5 is not a number from 10"),
        ({"x": 1}, "x"),
    ):
        refused = await client.patch(url, json={"desired": desired})
        assert refused.status_code == 422
        assert said in refused.text

    changed = await client.patch(url, json={"desired": {"night_pct": 30, "interval_s": 60}})
    stale = await client.patch(url, json={"desired": {"night_pct": 40}}, headers={"If-Match": '"0"'})
    assert (changed.json()["agreement"], changed.headers["etag"], stale.status_code) == (
        "waiting",
        '"1"',
        412,
    )
    drifting = "/api/v1/device-configs?drifting=true"
    assert [one["device"] for one in (await client.get(drifting)).json()["items"]] == ["light-1"]

    report = Report(config={"interval_s": 60}, refused={"night_pct": "too dark"}, version=1)
    await record_reports(connection, {device.id: report}, builders.now)
    found = (await client.get(url)).json()
    assert (found["agreement"], found["drift"]) == ("refused", ["night_pct"])

    await client.patch(url, json={"desired": {"night_pct": None}})
    assert (await client.get(url)).json()["agreement"] == "agreed"
    assert (await client.get(drifting)).json()["items"] == []
