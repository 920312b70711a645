"""Sessions: they change their id, end, and are seen by their person."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.http import identification
from api.http.guards import COOKIE
from api.routes import stream
from people import links
from people.editing import disable_person
from people.person import get_person
from people.sessions import FORMER_FOR, ROTATE_EVERY
from store.audit import PLATFORM
from tests.integration.api.access.people.builders import LIMITS, PASSWORD, Clock, add, browsing, sign_in, who


async def test_id_that_a_browser_had_before_signing_in_is_nobodys(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection)
    planted = "s.planted-by-somebody-else"
    browser.cookies.set(COOKIE, planted, domain="nabd.example.org")

    await sign_in(browser)
    first = browser.cookies.get(COOKIE, domain=".nabd.example.org") or browser.cookies.get(
        COOKIE, domain="nabd.example.org"
    )
    assert first != planted
    browser.cookies.clear()
    assert (await browser.get("/", headers={"Cookie": f"{COOKIE}={planted}"})).status_code == 401


async def test_signing_in_again_ends_the_session_before(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection)
    await sign_in(browser)
    before = browser.cookies[COOKIE]

    await sign_in(browser)

    assert browser.cookies[COOKIE] != before
    assert await connection.fetchval("SELECT count(*) FROM session") == 1
    assert await who(browser) == "rima"


async def test_session_id_changes_and_the_former_one_betrays_a_thief(
    guarded: FastAPI, browser: httpx2.AsyncClient, connection: asyncpg.Connection, clock: Clock
) -> None:
    await add(connection)
    await sign_in(browser)
    first = browser.cookies[COOKIE]
    assert "set-cookie" not in (await browser.get("/api/v1/session")).headers
    clock.at += ROTATE_EVERY

    assert await who(browser) == "rima"
    assert browser.cookies[COOKIE] != first
    async with browsing(guarded) as late:  # a request that was under way
        former = {"Cookie": f"{COOKIE}={first}"}
        again = await late.get("/api/v1/session", headers=former)
        assert again.json()["user"] == "rima"
        assert browser.cookies[COOKIE] in again.headers["set-cookie"]  # the first answer may be lost
        late.cookies.clear()
        clock.at += FORMER_FOR + timedelta(seconds=1)
        assert (await late.get("/api/v1/session", headers=former)).status_code == 401
    assert await who(browser) == 401


async def test_session_ends_unused_and_at_last_whatever_happens(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection, clock: Clock
) -> None:
    await add(connection)
    await sign_in(browser)
    began = clock.at
    while clock.at - began < LIMITS.longest - LIMITS.idle:
        clock.at += LIMITS.idle - timedelta(minutes=2)
        assert await who(browser) == "rima"
    clock.at = began + LIMITS.longest
    assert await who(browser) == 401

    await sign_in(browser)
    clock.at += LIMITS.idle
    assert await who(browser) == 401


async def test_person_who_is_disabled_elsewhere_is_out_at_once(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection, clock: Clock
) -> None:
    person = await add(connection)
    link = await links.create_link(connection, person.id, clock(), by=PLATFORM)
    await sign_in(browser)

    await disable_person(connection, "rima", clock(), by=PLATFORM)

    assert await who(browser) == 401
    assert (await sign_in(browser)).status_code == 401
    assert (await browser.post("/signin", data={"link": link})).status_code == 401


async def test_what_was_remembered_of_a_caller_and_the_check_of_a_stream_are_over_within_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()

    assert identification.KNOWN_S <= 5
    assert identification.KNOWN_S + stream.RECHECK_S <= 9


async def test_memory_of_a_caller_ends(
    browser: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    guarded: FastAPI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identification, "KNOWN_S", 3.0)
    elapsed_s = [0.0]
    monkeypatch.setattr(guarded.state.context.identification, "_elapsed_s", lambda: elapsed_s[0])
    await add(connection)
    await sign_in(browser)
    assert await who(browser) == "rima"
    await connection.execute("DELETE FROM session")

    elapsed_s[0] = 2.9
    assert (await browser.get("/healthz")).status_code == 200
    assert (await browser.get("/console/shell/frame.js")).status_code == 200
    elapsed_s[0] = 3.0
    assert await who(browser) == 401


async def test_changed_password_ends_the_other_sessions(
    guarded: FastAPI, browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection)
    await sign_in(browser)
    async with browsing(guarded) as elsewhere:
        await sign_in(elsewhere)
        wrong = await browser.post("/api/v1/session/password", json={"old": "x", "new": "other words, long"})
        changed = await browser.post(
            "/api/v1/session/password", json={"old": PASSWORD, "new": "other words, long"}
        )
        assert (wrong.status_code, changed.status_code) == (422, 204)
        assert await who(elsewhere) == 401
    assert await who(browser) == "rima"
    rima = await get_person(connection, "rima")
    row = await connection.fetchrow("SELECT * FROM audit WHERE action = 'person.password'")
    assert row is not None
    assert (row["principal_id"], row["subject"], row["address"]) == (rima.id, str(rima.id), "192.0.2.1")
    assert "other words" not in str(row["after"])


async def test_person_sees_where_they_are_signed_in_and_signs_another_browser_out(
    guarded: FastAPI, browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection)
    await add(connection, "amal")
    await sign_in(browser)
    async with browsing(guarded, "192.0.2.2") as other, browsing(guarded, "192.0.2.3") as stranger:
        await sign_in(other)
        await sign_in(stranger, "amal")
        listed = (await browser.get("/api/v1/session/all")).json()["items"]
        foreign = (await stranger.get("/api/v1/session/all")).json()["items"]
        refused = await browser.delete(f"/api/v1/session/all/{foreign[0]['id']}")
        (away,) = [one["id"] for one in listed if not one["this"]]
        ended = await browser.delete(f"/api/v1/session/all/{away}")

        assert sorted((one["address"], one["this"]) for one in listed) == [
            ("192.0.2.1", True),
            ("192.0.2.2", False),
        ]
        assert (refused.status_code, ended.status_code) == (404, 204)
        assert [await who(browser), await who(other), await who(stranger)] == ["rima", 401, "amal"]
