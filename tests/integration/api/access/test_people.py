"""People sign in, see what is theirs, and are out within seconds when they are let in no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextlib import nullcontext as does_not_raise
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pyotp
import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.app import create_app
from api.http import identification
from api.http.guards import COOKIE
from api.routes import stream
from devices.instants import to_microseconds
from devices.registry.errors import Conflict
from people import first, links, passwords, tokens, totp
from people.editing import NewPerson, add_person, delete_person, disable_person, edit_person
from people.identity import of_texts, to_text
from people.person import Person, get_person
from people.roles import Role
from people.sessions import FORMER_FOR, ROTATE_EVERY, SessionLimits
from people.sign_in import set_totp
from people.throttle import ALLOWED, Throttle
from store.audit import PLATFORM, Actor
from tests.integration.api import builders
from tests.waiting import eventually

PASSWORD = "three short words"
LIMITS = SessionLimits()


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.at = builders.NOON

    def __call__(self) -> int:
        return to_microseconds(self.at)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash in a moment, and ask the database about a caller every time."""
    cheap = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "hasher", PasswordHash((cheap,)))
    monkeypatch.setattr(identification, "KNOWN_S", 0.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def guarded(pool: asyncpg.Pool, clock: Clock) -> FastAPI:
    """The application as beyond loopback, where administrators need an app."""
    return create_app(pool=pool, kinds=builders.KINDS, now=clock, beyond_loopback=True, totp_required=True)


@asynccontextmanager
async def browsing(app: FastAPI, address: str = "192.0.2.1") -> AsyncIterator[httpx2.AsyncClient]:
    """A browser somewhere, which keeps cookies and is signed in nowhere yet."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://nabd.example.org") as client:
        yield client


@pytest.fixture
async def browser(guarded: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with browsing(guarded) as client:
        yield client


async def add(connection: asyncpg.Connection, name: str = "rima", *roles: str, **more: Any) -> Person:
    """Add a person with a password, and the towns of their roles."""
    for role in roles or ("operator@tripoli",):
        if town := role.partition("@")[2]:
            await builders.add_town(connection, town)
    grants = sorted(of_texts(roles or ("operator@tripoli",)), key=str)
    new = NewPerson(**{"name": name, "password": PASSWORD, "grants": grants, **more})
    return await add_person(connection, new, builders.now(), by=PLATFORM)


async def sign_in(client: httpx2.AsyncClient, name: str = "rima", **said: str) -> httpx2.Response:
    return await client.post("/signin", data={"name": name, "password": PASSWORD, **said})


async def who(client: httpx2.AsyncClient) -> Any:
    answer = await client.get("/api/v1/session")
    return answer.json().get("user") if answer.status_code == 200 else answer.status_code


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


@pytest.mark.parametrize("end", [disable_person, delete_person])
async def test_tokens_that_a_person_made_end_with_the_person(
    pool: asyncpg.Pool, connection: asyncpg.Connection, clock: Clock, end: Callable[..., Awaitable[object]]
) -> None:
    person = await add(connection, "rima", "admin")
    await add(connection, "amal", "admin")
    new = tokens.NewToken(name="export", role=Role.VIEWER)
    hers = await tokens.create_token(connection, new, clock(), by=Actor(principal=person.id, address=""))
    other = await tokens.create_token(connection, new, clock(), by=PLATFORM)

    await end(connection, "rima", clock(), by=PLATFORM)

    assert await tokens.identity_of(connection, hers, clock()) is None
    assert await tokens.identity_of(connection, other, clock()) is not None
    revoked = await connection.fetch("SELECT subject FROM audit WHERE action = 'token.revoke'")
    assert len(revoked) == 1


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


async def test_tokens_are_listed_by_page_where_the_caller_manages_them(
    guarded: FastAPI, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection, "tripoli")
    headers = {
        "Authorization": f"Bearer {await builders.token(connection, role='admin', municipality='tripoli')}"
    }
    await builders.token(connection, "elsewhere")
    for name in ("a", "b"):
        await builders.token(connection, name, role="viewer", municipality="tripoli")
    async with browsing(guarded) as admin:
        admin.headers.update(headers)
        first = (await admin.get("/api/v1/tokens?limit=2&fields=id,name")).json()
        second = (await admin.get(first["next"])).json()

    assert [[one["name"] for one in page["items"]] for page in (first, second)] == [["test", "a"], ["b"]]
    assert second["next"] is None


async def test_page_of_another_site_signs_nobody_out(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection)
    await sign_in(browser)

    answer = await browser.delete("/api/v1/session", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert await who(browser) == "rima"


async def test_last_use_of_a_token_is_written_once_a_minute(
    guarded: FastAPI, connection: asyncpg.Connection, clock: Clock
) -> None:
    headers = {"Authorization": f"Bearer {await builders.token(connection)}"}
    seen = []
    async with browsing(guarded) as program:
        for step_s in (0, 59, 2):
            clock.at += timedelta(seconds=step_s)
            assert (await program.get("/api/v1/devices", headers=headers)).status_code == 200
            seen.append(await connection.fetchval("SELECT last_used_at FROM token"))

    assert seen == [builders.NOON, builders.NOON, clock.at]


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


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_token_made_with_a_token_is_bounded_by_it_and_ends_with_their_person(
    guarded: FastAPI, connection: asyncpg.Connection, clock: Clock
) -> None:
    person = await add(connection, "rima", "admin")
    until = clock.at + timedelta(days=1)
    new = tokens.NewToken(name="hers", role=Role.ADMIN, expires_at=until)
    hers = await tokens.create_token(connection, new, clock(), by=Actor(principal=person.id, address=""))
    await builders.add_town(connection, "tripoli")
    await add(connection, "amal", "admin")
    wanted = {"name": "its", "role": "viewer"}
    async with browsing(guarded) as program:
        program.headers.update(bearer(hers))
        for_ever = await program.post("/api/v1/tokens", json=wanted)
        made = await program.post("/api/v1/tokens", json={**wanted, "expires_at": until.isoformat()})
    assert (for_ever.status_code, made.status_code) == (422, 201)

    await disable_person(connection, "rima", clock(), by=PLATFORM)

    assert await tokens.identity_of(connection, made.json()["token"], clock()) is None


async def test_demoted_person_keeps_the_tokens_that_they_could_still_make(
    connection: asyncpg.Connection, clock: Clock
) -> None:
    await add(connection, "amal", "admin")
    person = await add(connection, "rima", "admin", "admin@tripoli")
    by = Actor(principal=person.id, address="")
    everywhere, in_town = [
        await tokens.create_token(
            connection, tokens.NewToken(name="x", role=Role.VIEWER, municipality=town), clock(), by=by
        )
        for town in (None, "tripoli")
    ]

    await edit_person(
        connection, "rima", {}, clock(), by=PLATFORM, grants=of_texts(["admin@tripoli", "viewer"])
    )

    assert await tokens.identity_of(connection, everywhere, clock()) is None
    assert await tokens.identity_of(connection, in_town, clock()) is not None


async def test_revoked_token_ends_what_was_made_with_it(connection: asyncpg.Connection, clock: Clock) -> None:
    new = tokens.NewToken(name="x", role=Role.ADMIN)
    first = await tokens.create_token(connection, new, clock(), by=PLATFORM)
    maker = await tokens.identity_of(connection, first, clock())
    assert maker is not None
    by = Actor(principal=maker.principal, address="")
    second = await tokens.create_token(connection, new, clock(), by=by)

    await tokens.revoke_token(connection, 1, clock(), by=PLATFORM)

    assert await tokens.identity_of(connection, second, clock()) is None
    with pytest.raises(Conflict):
        await tokens.create_token(connection, new, clock(), by=by)


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


async def eventually_waits_for_a_lock(connection: asyncpg.Connection) -> None:
    async def waits() -> bool:
        sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1)"
        return bool(await connection.fetchval(sql, await connection.fetchval("SELECT current_database()")))

    await eventually(waits)


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
