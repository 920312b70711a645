"""People: what they may do where, and what stays of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import httpx2
from fastapi import FastAPI

from people import first
from people.editing import disable_person, edit_person
from people.identity import of_texts, to_text
from people.person import get_person
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.access.people.builders import (
    PASSWORD,
    Clock,
    add,
    bearer,
    browsing,
    eventually_waits_for_a_lock,
    sign_in,
)


async def test_deleting_a_person_leaves_the_number_of_who_did_it(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = await add(connection)

    assert (await client.delete("/api/v1/users/rima")).status_code == 204

    kept = await connection.fetchrow("SELECT kind, name FROM principal WHERE id = $1", person.id)
    assert kept is not None
    assert (kept["kind"], kept["name"]) == ("person", None)
    assert (await client.get("/api/v1/users/rima")).status_code == 404


async def test_lists_hold_what_lies_in_municipalities_of_ones_own(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    for town in ("tripoli", "nablus", "benghazi"):
        device = await builders.add(connection, f"bin-{town}", municipality=town)
        await builders.report(connection, device, fill_pct=50.0)
        await builders.fire(connection, device)
    await add(connection, "rima", "operator@tripoli", "viewer@nablus")
    await sign_in(browser)

    async def listed(path: str, member: str) -> set[str]:
        return {item[member] for item in (await browser.get(f"/api/v1/{path}")).json()["items"]}

    assert await listed("municipalities", "name") == {"tripoli", "nablus"}
    for path, member in (("devices", "name"), ("latest", "device"), ("alerts", "device")):
        assert await listed(path, member) == {"bin-tripoli", "bin-nablus"}, path
    assert await listed("devices?municipality=benghazi", "name") == set()


async def test_ministry_reads_alerts_without_names_or_what_people_wrote(
    browser: httpx2.AsyncClient, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    await client.post(f"/api/v1/alerts/{alert}/acknowledge")
    await client.post(f"/api/v1/alerts/{alert}/comments", json={"body": "call Samir"})
    await add(connection, "delegate", "ministry@tripoli")
    await sign_in(browser, "delegate")

    shown = (await browser.get(f"/api/v1/alerts/{alert}")).json()

    assert shown["acknowledged_at"] is not None
    assert shown["acknowledged_by"] is None
    assert [e["type"] for e in shown["history"]] == ["opened", "acknowledged", "comment"]
    assert {e["author"] for e in shown["history"]} == {None}
    assert shown["history"][-1]["body"] is None


async def test_administrator_of_a_town_manages_its_people_and_hands_out_its_roles_only(
    guarded: FastAPI, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection, "tripoli")
    await add(connection, "both", "viewer@tripoli", "viewer@nablus")
    await add(connection, "elsewhere", "viewer@nablus")
    headers = {
        "Authorization": f"Bearer {await builders.token(connection, role='admin', municipality='tripoli')}"
    }
    async with browsing(guarded) as admin:
        admin.headers.update(headers)
        made = await admin.post("/api/v1/users", json={"name": "samir", "roles": ["technician@tripoli"]})
        foreign = await admin.post("/api/v1/users", json={"name": "x", "roles": ["viewer@nablus"]})
        everywhere = await admin.post("/api/v1/users", json={"name": "x", "roles": ["admin"]})
        token = await admin.post("/api/v1/tokens", json={"name": "x", "role": "viewer"})
        promoted = await admin.patch("/api/v1/users/samir", json={"roles": ["admin@nablus"]})
        shared = await admin.patch("/api/v1/users/both", json={"display_name": "x"})
        unseen = await admin.get("/api/v1/users/elsewhere")
        listed = (await admin.get("/api/v1/users")).json()["items"]

    assert made.status_code == 201
    assert [a.status_code for a in (foreign, everywhere, token, promoted, shared)] == [403] * 5
    assert unseen.status_code == 404
    assert [one["name"] for one in listed] == ["both", "samir"]


async def test_alerts_of_another_municipality_do_not_exist_for_who_answers_many_at_once(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    own, foreign = [
        await builders.fire(connection, await builders.add(connection, f"bin-{town}", municipality=town))
        for town in ("tripoli", "nablus")
    ]
    await add(connection)
    await sign_in(browser)

    answer = await browser.post("/api/v1/alerts/acknowledge", json={"alerts": [own, foreign]})

    assert (answer.json()["changed"], answer.json()["unknown"]) == ([own], [foreign])
    seen = await connection.fetchval("SELECT acknowledged_at FROM alert WHERE id = $1", foreign)
    assert seen is None


async def test_last_administrator_of_all_municipalities_stays_one(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "amal", "admin")
    await add(connection, "rima", "admin@tripoli")
    answers = [
        await client.post("/api/v1/users/amal/disable"),
        await client.delete("/api/v1/users/amal"),
        await client.patch("/api/v1/users/amal", json={"roles": ["viewer"]}),
    ]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert "--role admin" in answers[0].json()["detail"]

    assert (await client.patch("/api/v1/users/rima", json={"roles": ["admin"]})).status_code == 200
    assert (await client.post("/api/v1/users/amal/disable")).status_code == 200
    # Where a provider says who holds roles, it has the last word; `nabd user first` makes another one.
    await edit_person(connection, "rima", {}, builders.now(), by=PLATFORM, grants=[], last_admin_too=True)
    assert (await get_person(connection, "rima")).grants == frozenset()


async def test_two_administrators_who_take_the_role_from_each_other_do_not_both_succeed(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    for name in ("amal", "rima"):
        await add(connection, name, "admin")

    async def disabled(name: str) -> object:
        async with pool.acquire() as one:
            return await disable_person(one, name, builders.now(), by=PLATFORM)

    ended = await asyncio.gather(disabled("amal"), disabled("rima"), return_exceptions=True)

    assert sorted(type(one).__name__ for one in ended) == ["Conflict", "Person"]


async def test_first_administrator_takes_the_next_name_where_theirs_is_somebody_elses(
    connection: asyncpg.Connection, clock: Clock
) -> None:
    await add(connection, first.NAME, "viewer")

    name, _ = await first.first_link(connection, clock(), by=PLATFORM)

    assert name == "admin-2"
    assert "admin" in map(to_text, (await get_person(connection, name)).grants)


async def test_role_that_a_person_got_meanwhile_is_judged_with_the_change(
    guarded: FastAPI, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection, "nablus")
    await add(connection, "rima", "viewer@tripoli")
    secret = await builders.token(connection, role="admin", municipality="tripoli")
    async with browsing(guarded) as admin, pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await edit_person(
            other,
            "rima",
            {},
            builders.now(),
            by=PLATFORM,
            grants=of_texts(["viewer@tripoli", "admin@nablus"]),
        )
        asking = asyncio.create_task(
            admin.post("/api/v1/users/rima/password", json={"password": PASSWORD}, headers=bearer(secret))
        )
        await eventually_waits_for_a_lock(connection)
        await transaction.commit()

        assert (await asking).status_code == 403


async def test_ministry_sees_nothing_that_people_wrote_where_it_is_ministry(
    browser: httpx2.AsyncClient, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    for name in ("bin-1", "bin-2"):
        await builders.add(connection, name)
    until = (builders.NOON + timedelta(days=1)).isoformat()
    window = {"device": "bin-1", "until_at": until, "reason": "Samir comes"}
    assert (await client.post("/api/v1/maintenance", json=window)).status_code == 201
    replaced = {"serial": "SN-2", "reason": "Samir broke it"}
    assert (await client.post("/api/v1/devices/bin-1/hardware", json=replaced)).status_code == 200
    retired = await client.post("/api/v1/devices/bin-2/retire", json={"reason": "Samir took it"})
    assert retired.status_code == 200
    await add(connection, "delegate", "ministry@tripoli", "viewer@nablus")
    await sign_in(browser, "delegate")

    shown = [
        await browser.get(f"/api/v1/{path}")
        for path in (
            "maintenance", "maintenance/1", "devices/bin-1/hardware", "devices/bin-2", "devices?retired=true",
        )
    ]  # fmt: skip

    assert [answer.status_code for answer in shown] == [200] * 5
    assert [answer.url.path for answer in shown if "Samir" in answer.text] == []
    assert shown[0].json()["items"][0]["author"] is None


async def test_open_alerts_of_a_rule_are_counted_where_one_reads(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    for town in ("tripoli", "nablus"):
        await builders.fire(connection, await builders.add(connection, f"bin-{town}", municipality=town))
    await add(connection)
    rule = await connection.fetchval("SELECT rule FROM alert LIMIT 1")

    async def counted(by: httpx2.AsyncClient) -> set[int]:
        (listed,) = [r for r in (await by.get("/api/v1/rules")).json()["items"] if r["id"] == rule]
        return {listed["open_alerts"], (await by.get(f"/api/v1/rules/{rule}")).json()["open_alerts"]}

    await sign_in(browser)
    assert await counted(browser) == {1}
    browser.cookies.clear()
    browser.headers.update(bearer(await builders.token(connection)))
    assert await counted(browser) == {2}
