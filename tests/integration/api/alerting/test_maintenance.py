"""Maintenance windows over HTTP."""

from __future__ import annotations

import asyncpg
import httpx2

from devices.instants import rfc3339
from tests.integration.api.builders import NOON, add

HOUR_ON = rfc3339(NOON.replace(hour=13))


async def test_window_is_planned_listed_and_ended(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "bin-1")

    planned = await client.post(
        "/api/v1/maintenance", json={"device": "bin-1", "until_at": HOUR_ON, "reason": "washing"}
    )
    assert planned.status_code == 201
    window = planned.json()
    assert (window["device"], window["state"], window["author"]) == ("bin-1", "running", "operator")
    assert (window["from_at"], window["until_at"]) == (rfc3339(NOON), HOUR_ON)

    assert (await client.get(planned.headers["Location"])).json() == window
    assert (await client.get("/api/v1/maintenance?device=bin-1")).json()["items"] == [window]
    # The clock of the tests stands still: a window from now on has not begun and is taken back.
    ended = await client.post(f"{planned.headers['Location']}/end")
    assert (ended.status_code, ended.json()["state"]) == (200, "cancelled")
    assert (await client.get("/api/v1/maintenance")).json()["items"] == []
    assert (await client.post(f"{planned.headers['Location']}/end")).status_code == 404


async def test_window_that_is_over_is_not_ended_again(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await add(connection, "bin-1")
    number = await connection.fetchval(
        "INSERT INTO maintenance_window (device_id, from_at, until_at, reason, author_id, created_at)"
        " VALUES ($1, $2::timestamptz - interval '2 h', $2::timestamptz - interval '1 h', 'w', 0, $2)"
        " RETURNING id",
        device.id,
        NOON,
    )

    answer = await client.post(f"/api/v1/maintenance/{number}/end")

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:nabd:problem:conflict")
    assert (await client.get("/api/v1/maintenance")).json()["items"] == []
    assert len((await client.get("/api/v1/maintenance?over=true")).json()["items"]) == 1


async def test_windows_come_page_by_page(client: httpx2.AsyncClient, connection: asyncpg.Connection) -> None:
    await add(connection, "bin-1")
    body = {"municipality": "tripoli", "until_at": HOUR_ON, "reason": "flood"}
    ids = [(await client.post("/api/v1/maintenance", json=body)).json()["id"] for _ in range(3)]

    first = (await client.get("/api/v1/maintenance?limit=2")).json()
    rest = (await client.get(first["next"])).json()

    assert [w["id"] for w in first["items"] + rest["items"]] == ids
    assert rest["next"] is None


async def test_same_key_plans_one_window(client: httpx2.AsyncClient, connection: asyncpg.Connection) -> None:
    await add(connection, "bin-1")
    body = {"device": "bin-1", "until_at": HOUR_ON, "reason": "washing"}

    for _ in range(2):
        assert (
            await client.post("/api/v1/maintenance", json=body, headers={"Idempotency-Key": "k"})
        ).status_code == 201

    assert len((await client.get("/api/v1/maintenance")).json()["items"]) == 1


async def test_mistake_is_a_problem_that_names_its_member(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "bin-1")
    good = {"device": "bin-1", "until_at": HOUR_ON, "reason": "washing"}

    async def refused(**changes: object) -> tuple[int, str]:
        answer = await client.post("/api/v1/maintenance", json={**good, **changes})
        return answer.status_code, str(answer.json().get("errors"))

    for changes, member in (
        ({"until_at": rfc3339(NOON)}, "until_at"),
        ({"until_at": "2026-03-01T08:00:00"}, "until_at"),
        ({"device": None}, "device"),
        ({"reason": ""}, "reason"),
    ):
        status, errors = await refused(**changes)
        assert (status, member in errors) == (422, True), changes
    assert (await refused(device="bin-9"))[0] == 404
    assert (await client.get("/api/v1/maintenance?device=bin-9")).status_code == 404


async def test_plan_of_nights_is_made_listed_and_ended(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "bin-1")
    body = {
        "device": "bin-1", "every": "week", "days": [7, 1, 2, 3, 4, 5, 6], "from_time": "22:00",
        "until_time": "24:00", "reason": "washing",
    }  # fmt: skip

    made = await client.post("/api/v1/maintenance-plans", json=body)
    assert made.status_code == 201, made.text
    plan = made.json()
    assert (plan["days"], plan["until_time"], plan["time_zone"]) == (
        list(range(1, 8)),
        "00:00",
        "Asia/Beirut",
    )
    coming = (await client.get("/api/v1/maintenance?device=bin-1")).json()["items"]
    assert {w["plan"] for w in coming} == {plan["id"]}
    assert (coming[0]["from_at"], coming[0]["until_at"]) == (plan["next_from_at"], plan["next_until_at"])
    assert (await client.get(made.headers["Location"])).json() == plan
    assert (await client.get("/api/v1/maintenance-plans?municipality=tripoli")).json()["items"] == [plan]

    ended = await client.post(f"{made.headers['Location']}/end")
    assert (ended.status_code, ended.json()["state"], ended.json()["ended_by"]) == (200, "over", "operator")
    assert (await client.post(f"{made.headers['Location']}/end")).status_code == 409
    assert (await client.get("/api/v1/maintenance")).json()["items"] == []
    assert (await client.get("/api/v1/maintenance-plans")).json()["items"] == []
    for changes, member in (
        ({"from_time": "2:00"}, "from_time"),
        ({"from_date": 20260301}, "from_date"),
        ({"days": [8]}, "days"),
        ({"device": None}, "device"),
    ):
        answer = await client.post("/api/v1/maintenance-plans", json={**body, **changes})
        assert (answer.status_code, member in answer.text) == (422, True), changes
