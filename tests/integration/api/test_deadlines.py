"""Calendars, targets, plans and repeat offenders by API."""

from __future__ import annotations

import asyncpg
import httpx2
import pytest

from people.roles import Role
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.conftest import bearing
from work.change import WorkStep
from work.orders import NewOrder, make

CALENDAR = "/api/v1/municipalities/tripoli/calendar"


async def test_a_calendar_without_any_setting_is_shown_and_changed(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)

    shown = (await client.get(CALENDAR, params={"language": "fr"})).json()
    assert shown["hours"]["mon"] == "08:00-16:00"
    assert shown["hours"]["sun"] == "rest"
    assert shown["ramadan_hours"] == "09:00-14:00"
    assert shown["ramadan"][0]["by_hand"] is False
    assert "Nouvel An" in [day["name"] for day in shown["days"]]

    said = {"hours": {"mon": "07:00-13:00"}, "ramadan_hours": "same"}
    changed = (await client.put(CALENDAR, json=said)).json()
    assert (changed["hours"]["mon"], changed["hours"]["tue"]) == ("07:00-13:00", "rest")
    assert changed["ramadan_hours"] is None
    assert changed["default_hours"] is False

    day = {"working": True, "name": "we work"}
    changed = (await client.put(f"{CALENDAR}/days/2099-12-25", json=day)).json()
    assert changed["municipality"] == "tripoli"


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("", {"hours": {"mon": "16:00-08:00"}}, "hours.mon"),
        ("", {"hours": {"monday": "08:00-16:00"}}, "write mon, tue"),
        ("", {"hours": {"mon": "rest"}}, "somebody works"),
        ("/days/20261224", {"working": True}, "write a day"),
        ("/days/2026-12-24", {"working": "perhaps"}, "working"),
        ("/ramadan/1447", {"first": "2026-06-01", "last": "2026-06-30"}, "foreseen from 2026-02-18"),
    ],
)
async def test_what_is_no_calendar_is_refused(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, path: str, body: dict[str, object], said: str
) -> None:
    await builders.add_town(connection)
    answer = await client.put(CALENDAR + path, json=body)
    assert answer.status_code == 422
    assert said in answer.text
    assert "." not in str([error.get("pointer", "") for error in answer.json()["errors"]])


async def test_targets_plans_and_repeats(client: httpx2.AsyncClient, connection: asyncpg.Connection) -> None:
    await builders.add(connection, "bin-1")
    assert len((await client.get("/api/v1/sla")).json()["items"]) == 4
    target = {"severity": "major", "response_s": 3600, "repair_s": 60}
    assert (await client.put("/api/v1/sla", json=target)).status_code == 422
    assert (
        await client.put("/api/v1/sla", json={**target, "repair_s": 7200, "kind": "bim"})
    ).status_code == 422
    assert (await client.put("/api/v1/sla", json={**target, "repair_s": 7200})).json()["default"] is False
    assert (await client.get("/api/v1/sla")).json()["items"][-1]["repair_s"] == 7200
    assert (await client.delete("/api/v1/sla", params={"severity": "major"})).status_code == 204
    assert (await client.delete("/api/v1/sla", params={"severity": "major"})).status_code == 404

    plan = {"device": "bin-1", "title": "wash it", "every": 2, "unit": "weeks"}
    made = (await client.post("/api/v1/work-plans", json=plan)).json()
    assert (made["municipality"], made["ahead"], made["open_orders"]) == ("tripoli", 7, 0)
    assert (await client.post(f"/api/v1/work-plans/{made['id']}/end")).json()["ended_at"] is not None
    assert (await client.post(f"/api/v1/work-plans/{made['id']}/end")).status_code == 409
    assert (await client.get("/api/v1/work-plans")).json()["items"] == []

    for _ in range(2):
        step = WorkStep(by=PLATFORM, now=builders.now())
        await make(connection, NewOrder(device="bin-1", title="again"), step)
    [found] = (await client.get("/api/v1/work-repeats", params={"least": 2})).json()["items"]
    assert (found["device"], found["orders"]) == ("bin-1", 2)


async def test_an_operator_plans_and_does_not_set_deadlines(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    token = await builders.token(connection, role=Role.OPERATOR, municipality="tripoli")
    async with bearing(pool, token) as client:
        plan = {"device": "bin-1", "title": "wash it", "every": 2, "unit": "weeks"}
        assert (await client.post("/api/v1/work-plans", json=plan)).status_code == 201
        target = {"severity": "major", "municipality": "tripoli", "response_s": 60, "repair_s": 60}
        assert (await client.put("/api/v1/sla", json=target)).status_code == 403
        assert (await client.put(CALENDAR, json={})).status_code == 403
        assert (await client.get(CALENDAR)).status_code == 200
