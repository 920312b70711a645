"""Silences over HTTP: who may make which, and how a silenced alert is shown."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx2

from devices.instants import rfc3339
from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.builders import NOON, add, fire

HOUR_ON = rfc3339(NOON.replace(hour=13))
WANTED = {"device": "bin-1", "until_at": HOUR_ON, "reason": "the square is dug up"}


async def test_silence_is_made_shown_at_its_alert_listed_and_ended(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await fire(connection, await add(connection, "bin-1"))
    await fire(connection, await add(connection, "bin-2"))

    made = await client.post("/api/v1/silences", json=WANTED)
    assert made.status_code == 201
    silence = made.json()
    assert (silence["municipality"], silence["state"], silence["author"]) == ("tripoli", "active", "operator")

    shown = (await client.get(f"/api/v1/alerts/{alert}")).json()
    assert (shown["silence"], shown["silenced_until"], shown["state"]) == (silence["id"], HOUR_ON, "firing")
    listed = (await client.get("/api/v1/alerts")).json()["items"]
    assert {a["device"]: a["silence"] for a in listed} == {"bin-1": silence["id"], "bin-2": None}
    for asked, devices in (("true", ["bin-1"]), ("false", ["bin-2"])):
        found = (await client.get(f"/api/v1/alerts?silenced={asked}")).json()["items"]
        assert [a["device"] for a in found] == devices
    acknowledged = (await client.post(f"/api/v1/alerts/{alert}/acknowledge")).json()
    assert acknowledged["silence"] == silence["id"]

    assert (await client.get(made.headers["Location"])).json() == silence
    assert (await client.get("/api/v1/silences?municipality=tripoli")).json()["items"] == [silence]
    ended = await client.post(f"{made.headers['Location']}/end")
    assert (ended.status_code, ended.json()["state"], ended.json()["ended_by"]) == (200, "past", "operator")
    assert (await client.post(f"{made.headers['Location']}/end")).status_code == 409
    assert (await client.get("/api/v1/silences")).json()["items"] == []
    assert (await client.get("/api/v1/silences?past=true")).json()["items"] == [ended.json()]
    assert (await client.get(f"/api/v1/alerts/{alert}")).json()["silence"] is None


async def test_silence_by_an_attribute_keeps_its_text(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await fire(connection, await add(connection, "bin-1", attributes={"wheels": 2}))
    attribute = {"name": "wheels", "value": "2"}
    body = {"municipality": "tripoli", "attribute": attribute, "until_at": HOUR_ON, "reason": "r"}

    made = await client.post("/api/v1/silences", json=body)

    assert made.json()["attribute"] == attribute
    assert (await client.get(f"/api/v1/alerts/{alert}")).json()["silence"] == made.json()["id"]


async def test_who_may_silence_what_in_one_municipality(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "bin-1")
    await add(connection, "bin-2", municipality="nablus")
    cases: list[tuple[Role, dict[str, Any], int]] = [
        (Role.OPERATOR, {}, 201),
        (Role.TECHNICIAN, {}, 403),
        (Role.OPERATOR, {"device": "bin-2"}, 404),
        (Role.OPERATOR, {"device": None, "kind": "bin"}, 403),
        (Role.OPERATOR, {"device": None, "kind": "bin", "municipality": "tripoli"}, 201),
        (Role.OPERATOR, {"device": None, "kind": "bin", "municipality": "nablus"}, 404),
        (Role.ADMIN, {"device": None, "kind": "bin"}, 403),
    ]
    tokens = {
        role: await builders.token(connection, role=role, municipality="tripoli")
        for role in {role for role, _, _ in cases}
    }

    for role, body, status in cases:
        answer = await client.post(
            "/api/v1/silences",
            json={**WANTED, **body},
            headers={"Authorization": f"Bearer {tokens[role]}"},
        )
        assert answer.status_code == status, (role, body, answer.text)


async def test_silence_of_all_municipalities_is_seen_by_all_and_ended_by_who_may_everywhere(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "bin-1")
    made = await client.post("/api/v1/silences", json={**WANTED, "device": None, "kind": "bin"})
    tokens = {
        role: await builders.token(connection, role=role, municipality="tripoli")
        for role in (Role.OPERATOR, Role.MINISTRY)
    }

    async def ask(role: Role, method: str, path: str) -> httpx2.Response:
        return await client.request(method, path, headers={"Authorization": f"Bearer {tokens[role]}"})

    place = made.headers["Location"]
    assert (await ask(Role.OPERATOR, "GET", place)).json()["reason"] == WANTED["reason"]
    seen = (await ask(Role.MINISTRY, "GET", "/api/v1/silences")).json()["items"]
    assert [(s["id"], s["reason"], s["author"]) for s in seen] == [(made.json()["id"], "", None)]
    assert (await ask(Role.OPERATOR, "POST", f"{place}/end")).status_code == 403
    assert (await client.post(f"{place}/end")).status_code == 200
