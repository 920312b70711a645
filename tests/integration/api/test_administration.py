"""What an administrator does without a terminal: device lists, quarantine, towns, checks of the platform."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from devices.texts.languages import Language
from devices.texts.translated import say
from nabd.doctor.check import CheckText, bad
from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.conftest import bearing

LIST = """name,kind,municipality,lat,lon
bin-1,bin,tripoli,34.43,35.84
bin-2,bin,tripoli,north,35.84
bin-3,bni,tripoli,,
"""


async def test_list_with_a_bad_line_is_previewed_refused_and_stored_without_it(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)

    preview = await client.post("/api/v1/devices/import?dry_run=true", content=LIST)
    refused = await client.post("/api/v1/devices/import", content=LIST)
    before = await connection.fetchval("SELECT count(*) FROM device")
    once = {"Idempotency-Key": "a-list"}
    stored = await client.post("/api/v1/devices/import?keep_good=true", content=LIST, headers=once)
    again = await client.post("/api/v1/devices/import?keep_good=true", content=LIST, headers=once)
    other = await client.post("/api/v1/devices/import?update=true", content=LIST, headers=once)

    said = preview.json()
    assert (said["written"], said["added"], said["refused"]) == (False, ["bin-1"], 2)
    assert [(p["line"], p["field"]) for p in said["problems"]] == [(3, "lat"), (4, "kind")]
    assert (refused.json()["written"], before) == (False, 0)
    assert stored.json()["written"] is True
    assert again.json() == stored.json(), "a list that is sent again because no answer came"
    assert other.status_code == 422
    assert await connection.fetchval("SELECT array_agg(name) FROM device") == ["bin-1"]


async def test_list_writes_nothing_in_a_municipality_of_others(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await builders.add(connection, "bin-9", municipality="nablus")
    token = await builders.token(connection, role=Role.ADMIN, municipality="tripoli")

    async with bearing(pool, token) as client:
        foreign = await client.post(
            "/api/v1/devices/import", content="name,kind,municipality\nbin-1,bin,nablus\n"
        )
        taken = await client.post(
            "/api/v1/devices/import?update=true", content="name,kind,municipality\nbin-9,bin,tripoli\n"
        )

    assert [p["field"] for p in foreign.json()["problems"]] == ["municipality"]
    assert taken.status_code == 403
    assert await connection.fetchval("SELECT count(*) FROM device") == 1


async def test_unknown_device_is_listed_and_adopted_where_the_caller_installs(
    pool: asyncpg.Pool, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.administration.quarantine.MOST_LISTED", 1)
    for town in ("tripoli", "nablus"):
        await builders.add_town(connection, town)
        await builders.reject(connection, f"bin-{town}", town=town)
    token = await builders.token(connection, role=Role.TECHNICIAN, municipality="tripoli")

    async with bearing(pool, token) as client:
        listed = (await client.get("/api/v1/quarantine")).json()["items"]
        hidden = await client.post("/api/v1/quarantine/bin-nablus/adopt", json={})
        adopted, again = [
            await client.post(
                "/api/v1/quarantine/bin-tripoli/adopt",
                json={"title": "Souk"},
                headers={"Idempotency-Key": "adopt"},
            )
            for _ in range(2)
        ]
        known = (await client.get("/api/v1/devices/bin-tripoli")).json()

    assert [(one["device"], one["count"]) for one in listed] == [("bin-tripoli", 1)]
    assert hidden.status_code == 404
    assert adopted.json() == again.json() == {"device": "bin-tripoli", "replayed": 1}
    assert (known["kind"], known["title"]) == ("bin", "Souk")


async def test_municipality_is_added_and_changed_by_whom_it_concerns(
    pool: asyncpg.Pool, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    new = {"name": "saida", "title": {"en": "Saida"}, "time_zone": "Asia/Beirut", "locale": "ar-LB"}
    added = await client.post("/api/v1/municipalities", json=new)
    token = await builders.token(connection, role=Role.ADMIN, municipality="saida")

    async with bearing(pool, token) as local:
        changed = await local.patch("/api/v1/municipalities/saida", json={"weekend": [5, 6]})
        another = await local.post("/api/v1/municipalities", json={"name": "jbeil"})
    wrong = await client.patch("/api/v1/municipalities/saida", json={"time_zone": "Asia/Beyrouth"})

    assert (added.status_code, added.json()["title"]) == (201, {"en": "Saida"})
    assert (changed.json()["weekend"], changed.json()["time_zone"]) == ([5, 6], "Asia/Beirut")
    assert (another.status_code, wrong.status_code) == (403, 422)


async def test_rules_are_checked_without_being_applied(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    rule = {
        "id": "full",
        "kind": "bin",
        "summary": dict.fromkeys(("en", "fr", "ar"), "{device}"),
        "levels": {"major": "fill_pct > 90"},
    }
    right = await client.post("/api/v1/rules/check", json=rule)
    wrong = await client.post("/api/v1/rules/check", json=rule | {"levels": {"major": "fil_pct > 90"}})
    routes = await client.put("/api/v1/routes?dry_run=true", content="tell: operatorz")
    stale = await client.put(
        "/api/v1/routes?dry_run=true", content="tell: operators", headers={"If-Match": '"7"'}
    )

    assert right.json()["rules"] == ["full"]
    assert "fill_pct" in wrong.json()["errors"][0]["suggestion"]
    assert (routes.status_code, stale.status_code) == (422, 412)
    assert await connection.fetchval("SELECT count(*) FROM rule WHERE id = 'full'") == 0


async def test_system_says_what_doctor_found_with_its_fix(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    async def examine(language: Language) -> Sequence[CheckText]:
        assert pool.get_idle_size() == pool.get_size(), "no connection is held while checks run"
        full = bad("disk", say("check.free_at", gb=0.1, place="/srv"), say("check.correct_broker"))
        return [full.in_language(language)]

    await builders.let_in(pool)
    app: FastAPI = create_app(
        pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=False, examine=examine
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=builders.BEARER
    ) as client:
        found = (await client.get("/api/v1/system")).json()
        arabic = await client.get("/api/v1/system", headers={"Accept-Language": "ar-LY, en;q=0.5"})
        pool.terminate()
        without = (await client.get("/api/v1/system")).json()

    disk = {"code": "N102", "subject": "disk", "verdict": "bad"}
    assert found["checks"] == [
        disk | {"title": "Disk", "said": "0.1 GB free at /srv", "fix": "correct NABD_BROKER"}
    ]
    assert arabic.headers["content-language"] == "ar"
    assert arabic.json()["checks"] == [
        disk
        | {
            "title": "القرص",
            "said": "المتاح 0.1 غيغابايت في \u2068/srv\u2069",
            "fix": "صحّح \u2066NABD_BROKER\u2069",
        }
    ]
    assert found["versions"]["postgres"]
    assert (without["checks"], without["versions"]["postgres"]) == (found["checks"], None)
