"""Commands by HTTP: who may give them, what is refused, what they become; two administrators for many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.http.guards import COOKIE
from api.routes.device import commands
from devices.commands.answered import record_response
from devices.commands.configured import record_reports
from devices.commands.details import SENT
from devices.commands.downlinks import learn_topic, record_heard
from devices.registry.registration import NewDevice, add_devices
from devices.registry.registry import get_device
from devices.sources import states
from devices.sources.downlinks import prepared
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.states import Counted
from devices.sources.translation import ALL
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
    app: FastAPI, connection: asyncpg.Connection, name: str, *roles: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser in which somebody is signed in."""
    new = NewPerson(name=name, grants=sorted(of_texts(roles or ["admin"]), key=str))
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


async def behind(connection: asyncpg.Connection, *names: str) -> None:
    """Register lamps of tripoli that a network server speaks for; NAS' controllers are told nothing yet."""
    await builders.add_town(connection)
    new = NewSource(
        name="lora",
        municipality="tripoli",
        format="chirpstack",
        url="mqtts://lora.example",
        profile="nas-ul20xx",
        profiles={"probe": "milesight-em310-udl"},
    )
    await add_source(connection, builders.KINDS, new, ALL, builders.now, by=PLATFORM)
    devices = [
        NewDevice(
            name=name, kind="light", municipality="tripoli", relays=("lora",), attributes={"model": model}
        )
        for name, model in zip(names, ("probe", "lamp"), strict=False)
    ]
    await add_devices(connection, builders.KINDS, devices, builders.now, by=PLATFORM)


async def test_command_behind_a_network_server_waits_a_day_or_is_refused_in_the_callers_language(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await behind(connection, "24E124136A000001", "24E124136A000002")
    url = "/api/v1/devices/24E124136A000001/commands"

    given = (await client.post(url, json={"name": "set_interval", "args": {"interval_s": 600}})).json()
    short = (await client.post(url, json={"name": "reboot", "expires_after_s": 60})).json()

    stored = await connection.fetch("SELECT port, payload, confirmed FROM command ORDER BY expires_at DESC")
    assert [tuple(row) for row in stored] == [(85, b"\xff\x03\x58\x02", True), (85, b"\xff\x10\xff", False)]
    assert (given["status"], given["detail_code"]) == ("queued", None)
    for one, seconds in ((given, 86_400), (short, 60)):
        waits = datetime.fromisoformat(one["expires_at"]) - datetime.fromisoformat(one["created_at"])
        assert waits == timedelta(seconds=seconds)

    await record_heard(
        connection,
        await connection.fetchval("SELECT id FROM source"),
        await connection.fetchval("SELECT device_id FROM command LIMIT 1"),
        [UUID(given["id"])],
        "sent",
        builders.now,
    )
    (_, said) = sorted((await client.get(url)).json()["items"], key=lambda one: one["id"] == given["id"])
    assert (said["status"], said["detail"], said["detail_code"]) == ("delivered", SENT, "sent")

    other = "/api/v1/devices/24E124136A000002/commands"
    for language, text in (
        ("en", "Profile nas-ul20xx does not say how reboot is encoded"),
        ("fr", "Le profil nas-ul20xx ne dit pas comment coder reboot"),
        ("ar", "لا يذكر الملف التعريفي nas-ul20xx كيف يُرمَّز الأمر reboot"),
    ):
        refused = await client.post(other, json={"name": "reboot"}, headers={"Accept-Language": language})
        assert refused.status_code == 409
        plain = refused.json()["detail"].replace("\u2068", "").replace("\u2069", "")  # what isolates names
        assert text in plain


async def test_sources_are_named_to_who_manages_devices_where_they_are_and_to_nobody_else(
    app: FastAPI, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    name = "24E124136A000001"
    await behind(connection, name)
    await builders.add_town(connection, "saida")
    # The device has moved; its source is Tripoli's as before.
    await connection.execute(
        "UPDATE device SET municipality_id = m.id FROM municipality AS m WHERE m.name = 'saida'"
    )
    source = await connection.fetchval("SELECT id FROM source")
    await learn_topic(connection, await get_device(connection, name), source, "a/device/1", json=True)
    heard = Counted(messages=1, last_message_at=builders.now())
    await states.say(connection, source, heard, builders.now, connected=False)
    url = f"/api/v1/devices/{name}/commands"

    given = (await client.post(url, json={"name": "reboot"})).json()
    assert (given["situation"]["situation"], given["situation"]["source"]) == ("source_away", "lora")
    told = [
        ("admin-of-all", "admin", True),
        ("admin-of-both", "admin@saida admin@tripoli", True),
        ("admin-there", "admin@saida", False),
        ("operator", "operator", False),
        ("viewer", "viewer", False),
    ]
    for who, roles, knows in told:
        async with person(app, connection, who, *roles.split()) as browser:
            for listed in (url, "/api/v1/commands"):
                (one,) = (await browser.get(listed)).json()["items"]
                assert one["situation"]["situation"] == "source_away"
                assert (one["situation"]["source"] == "lora") is knows, who
                assert (one["situation"]["source_heard_at"] is not None) is knows, who
                assert ("lora" in str(one)) is knows
    async with person(app, connection, "omar", "operator@saida") as omar:
        answer = await omar.post(url, json={"name": "reboot"})
    assert answer.status_code == 202
    assert answer.json()["situation"]["situation"] == "source_away"
    assert "lora" not in answer.text


async def test_request_to_many_leaves_out_whom_no_profile_can_tell(
    app: FastAPI, connection: asyncpg.Connection
) -> None:
    await behind(connection, "24E124136A000001", "24E124136A000002")
    await builders.add(connection, "light-1", kind="light")
    asked = {**ASKED, "name": "reboot", "args": {}}
    async with person(app, connection, "rima") as rima, person(app, connection, "samir") as samir:
        number = (await rima.post("/api/v1/command-requests", json=asked)).json()["id"]
        done = (await samir.post(f"/api/v1/command-requests/{number}/approve")).json()

    assert (done["devices"], done["left_out"], done["answers"]) == (2, 1, {"queued": 2})
    rows = await connection.fetch(
        "SELECT d.name, c.payload, c.expires_at - c.created_at FROM command AS c"
        " INNER JOIN device AS d ON c.device_id = d.id ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("24E124136A000001", b"\xff\x10\xff", timedelta(days=1)),
        ("light-1", None, timedelta(minutes=5)),
    ]
    assert done["expires_after_s"] is None


async def test_request_to_many_says_how_long_commands_wait_whoever_sends_them(
    app: FastAPI, connection: asyncpg.Connection
) -> None:
    await behind(connection, "24E124136A000001")
    asked = {**ASKED, "name": "reboot", "args": {}, "expires_after_s": 60}
    async with person(app, connection, "rima") as rima, person(app, connection, "samir") as samir:
        number = (await rima.post("/api/v1/command-requests", json=asked)).json()["id"]
        done = (await samir.post(f"/api/v1/command-requests/{number}/approve")).json()

    assert done["expires_after_s"] == 60
    assert await connection.fetchval("SELECT expires_at - created_at FROM command") == timedelta(minutes=1)


async def test_command_is_encoded_before_its_transaction_and_a_repeat_needs_no_profile(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A codec may take seconds: who waits for a key, and what cleans up, does not wait for it."""
    await behind(connection, "24E124136A000001")
    inside: list[bool] = []

    async def watched(given: Any, *args: Any, **more: Any) -> Any:
        inside.append(given.is_in_transaction())
        return await prepared(given, *args, **more)

    monkeypatch.setattr(commands, "prepared", watched)
    url, key = "/api/v1/devices/24E124136A000001/commands", {"Idempotency-Key": "k"}
    given = await client.post(url, json={"name": "reboot"}, headers=key)
    await connection.execute("UPDATE source SET profile = '', profiles = '{}'")
    repeated = await client.post(url, json={"name": "reboot"}, headers=key)
    another = await client.post(url, json={"name": "report_now"}, headers=key)

    assert given.status_code == repeated.status_code == 202
    assert given.json() == repeated.json()
    assert another.status_code == 422
    assert inside == [False]
