"""How people sign in: words, codes of an app, links; and who guesses."""

from __future__ import annotations

from contextlib import nullcontext as does_not_raise
from datetime import timedelta

import asyncpg
import httpx2
import pyotp
import pytest
from fastapi import FastAPI

from api.http.guards import COOKIE
from devices.registry.errors import Conflict
from people import links, passwords, totp
from people.person import get_person
from people.sign_in import set_totp
from people.throttle import ALLOWED, Throttle
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.access.people.builders import PASSWORD, Clock, add, bearer, browsing, sign_in, who


async def test_person_signs_in_is_somebody_and_signs_out(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, display_name="ريما", language="ar")

    answer = await sign_in(browser, " Rima ")
    cookie = answer.headers["set-cookie"].lower()
    me = (await browser.get("/api/v1/session")).json()

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (me["kind"], me["user"], me["name"], me["roles"]) == (
        "person", "rima", "ريما", ["operator@tripoli"],
    )  # fmt: skip
    assert "answer-alerts" in me["permissions"]
    kept = browser.cookies[COOKIE]
    assert (await browser.delete("/api/v1/session")).status_code == 204
    assert (await browser.get("/", headers={"Cookie": f"{COOKIE}={kept}"})).status_code == 401
    rima = await get_person(connection, "rima")
    rows = await connection.fetch("SELECT * FROM audit WHERE action LIKE 'person.sign-%' ORDER BY id")
    assert [(row["action"], row["after"]) for row in rows] == [
        ("person.sign-in", {"by": "password"}), ("person.sign-out", None),
    ]  # fmt: skip
    assert {(r["principal_id"], r["subject"], r["address"]) for r in rows} == {
        (rima.id, str(rima.id), "192.0.2.1")
    }


@pytest.mark.parametrize("said", [{"password": "another one"}, {"name": "amal"}, {"password": ""}])
async def test_wrong_word_is_refused_whichever_it_is(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection, said: dict[str, str]
) -> None:
    await add(connection)

    answer = await browser.post("/signin", data={"name": "rima", "password": PASSWORD, **said})

    assert answer.status_code == 401
    assert answer.json()["detail"] == "name, password or code is wrong"
    assert "set-cookie" not in answer.headers


async def test_guesses_for_a_name_are_slowed_down_wherever_they_come_from(
    guarded: FastAPI, connection: asyncpg.Connection
) -> None:
    await add(connection)
    await add(connection, "amal")
    for number in range(ALLOWED):
        async with browsing(guarded, f"192.0.2.{number}") as guesser:
            assert (await sign_in(guesser, password="guess")).status_code == 401

    async with browsing(guarded, "198.51.100.7") as other:
        assert (await sign_in(other)).status_code == 429
        assert (await sign_in(other, "amal")).status_code == 303


async def test_guesses_from_an_address_are_slowed_down_whomever_they_are_for(
    guarded: FastAPI, connection: asyncpg.Connection
) -> None:
    await add(connection)
    async with browsing(guarded, "2001:db8::1") as guesser:
        for number in range(ALLOWED):
            await sign_in(guesser, f"name-{number}", password="guess")
    async with browsing(guarded, "2001:db8::2") as same_network:
        assert (await sign_in(same_network)).status_code == 429
    async with browsing(guarded, "2001:db8:0:1::1") as other:
        assert (await sign_in(other)).status_code == 303


async def test_code_of_an_app_is_asked_for_and_is_good_once(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection, clock: Clock
) -> None:
    await add(connection)
    await sign_in(browser)
    secret = (await browser.post("/api/v1/session/totp")).json()["secret"]
    app = pyotp.TOTP(secret)
    proof = {"secret": secret, "code": app.at(clock.at), "password": PASSWORD}
    found_open = await browser.put("/api/v1/session/totp", json={**proof, "password": "guess"})
    assert found_open.status_code == 422
    codes = (await browser.put("/api/v1/session/totp", json=proof)).json()["recovery_codes"]

    assert (await sign_in(browser)).status_code == 401
    assert (await sign_in(browser, code=app.at(clock.at))).status_code == 401  # it proved the app
    clock.at += timedelta(seconds=30)
    assert (await sign_in(browser, code=app.at(clock.at))).status_code == 303
    assert (await sign_in(browser, code=app.at(clock.at))).status_code == 401
    assert (await sign_in(browser, code=codes[0].upper())).status_code == 303
    assert (await sign_in(browser, code=codes[0])).status_code == 401
    for guess in ({}, {"password": PASSWORD}, {"password": "guess", "code": codes[1]}):
        assert (await browser.request("DELETE", "/api/v1/session/totp", json=guess)).status_code == 422
    right = {"password": PASSWORD, "code": codes[2]}
    assert (await browser.request("DELETE", "/api/v1/session/totp", json=right)).status_code == 204
    assert (await sign_in(browser)).status_code == 303
    changes = await connection.fetch("SELECT after FROM audit WHERE action = 'person.totp' ORDER BY id")
    assert [row["after"]["has_totp"] for row in changes] == [True, False]
    assert secret not in str(changes)


async def test_administrator_without_an_app_is_refused_where_one_is_required(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "amal", "admin")

    answer = await sign_in(browser, "amal")

    assert answer.status_code == 403
    assert "nabd user totp" in answer.json()["detail"]


async def test_link_signs_in_once_and_for_ten_minutes(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection, clock: Clock
) -> None:
    person = await add(connection, password=None)
    first, second = [await links.create_link(connection, person.id, clock(), by=PLATFORM) for _ in range(2)]

    looked_ahead = await browser.get(f"/signin?link={first}")
    assert (looked_ahead.status_code, "set-cookie" in looked_ahead.headers) == (200, False)
    assert f'name="link" value="{first}"' in looked_ahead.text
    assert (await browser.post("/signin", data={"link": first})).status_code == 303
    assert await who(browser) == "rima"
    assert (await browser.post("/signin", data={"link": first})).status_code == 401
    clock.at += links.GOOD_FOR
    assert (await browser.post("/signin", data={"link": second})).status_code == 401


async def test_page_with_the_button_escapes_what_its_address_says(browser: httpx2.AsyncClient) -> None:
    page = await browser.get("/signin", params={"link": '"><script>'})

    assert "<script>" not in page.text
    assert "&quot;&gt;&lt;script&gt;" in page.text


async def test_page_of_another_site_signs_nobody_out(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection)
    await sign_in(browser)

    answer = await browser.delete("/api/v1/session", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert await who(browser) == "rima"


@pytest.mark.parametrize("change", ["password", "roles"])
async def test_open_links_end_with_another_password_and_with_other_roles(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, clock: Clock, change: str
) -> None:
    person = await add(connection)
    link = await links.create_link(connection, person.id, clock(), by=PLATFORM)

    if change == "password":
        answer = await client.post("/api/v1/users/rima/password", json={"password": "other words, long"})
    else:
        answer = await client.patch("/api/v1/users/rima", json={"roles": ["viewer@tripoli"]})

    assert answer.status_code in (200, 204)
    assert await links.use_link(connection, link, clock()) is None


async def test_valid_token_and_link_pass_where_somebody_else_behind_the_same_address_guesses(
    guarded: FastAPI, connection: asyncpg.Connection, clock: Clock
) -> None:
    person = await add(connection)
    token = await builders.token(connection)
    link = await links.create_link(connection, person.id, clock(), by=PLATFORM)
    async with browsing(guarded) as proxied:
        guesses = [
            (await proxied.get("/api/v1/devices", headers=bearer(f"guess-{number}"))).status_code
            for number in range(ALLOWED + 1)
        ]
        assert guesses == [401] * ALLOWED + [429]
        assert (await proxied.get("/api/v1/devices", headers=bearer(token))).status_code == 200
        assert (await proxied.post("/signin", data={"link": link})).status_code == 303
        assert await who(proxied) == "rima"


async def test_unknown_sessions_are_not_looked_up_without_end(
    guarded: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = guarded.state.context.identification
    monkeypatch.setattr(guard, "_unknown", Throttle(5))
    async with browsing(guarded) as flood:
        answers = [
            (await flood.get("/", headers={"Cookie": f"{COOKIE}=s.{number}"})).status_code
            for number in range(7)
        ]

    assert answers == [401] * 5 + [429] * 2


async def test_app_that_was_set_up_meanwhile_is_not_replaced(
    connection: asyncpg.Connection, clock: Clock
) -> None:
    person = await add(connection)
    for expected in (does_not_raise(), pytest.raises(Conflict)):
        secret = totp.new_secret()
        with expected:
            code = pyotp.TOTP(secret).at(clock.at)
            await set_totp(connection, person, secret, code, clock(), by=PLATFORM)


async def test_more_passwords_than_can_be_checked_are_told_to_come_again(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(connection)
    monkeypatch.setattr(passwords, "MOST_WAITING", 0)

    answers = [
        await client.post("/api/v1/users/rima/password", json={"password": "other words, long"}),
        await client.post("/api/v1/users", json={"name": "amal", "password": "other words, long"}),
        await sign_in(client),
    ]

    assert [(a.status_code, a.headers.get("retry-after")) for a in answers] == [(503, "2")] * 3


async def test_browser_is_told_in_the_form_why_it_may_not_sign_in(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "amal", "admin")
    html = {"Accept": "text/html"}

    asked = await browser.get("/signin", headers=html)
    needs = await browser.post("/signin", data={"name": "amal", "password": PASSWORD}, headers=html)
    for _ in range(ALLOWED + 1):
        waits = await browser.post("/signin", data={"name": "x", "password": "y"}, headers=html)

    pages = [asked, needs, waits]
    assert [page.status_code for page in pages] == [200, 403, 429]
    assert all(page.text.startswith("<!doctype html>") for page in pages)
    assert "the code of an app" in needs.text
    assert waits.headers["retry-after"]
