"""People sign in at a real provider: who they are follows from it, and what they may do from their groups."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.http import identification
from api.http.guards import COOKIE
from api.oidc.provider import OidcClient, OidcProvider
from api.routes.access.oidc import COOKIE as FLOW_COOKIE
from devices.instants import Now
from devices.registry.errors import Conflict
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES
from nabd import clock
from nabd.doctor import Verdict
from nabd.doctor import oidc as doctor
from nabd.settings import GroupRole, Settings
from people.editing import NewPerson, add_person, disable_person, set_password
from people.identity import of_texts
from people.oidc import starts
from people.person import get_person
from people.roles import Role
from people.tokens import NewToken, create_token, list_tokens
from store.audit import PLATFORM, Actor
from tests import parts
from tests.integration.api import builders
from tests.npm_packages import CannotInstall
from tests.oidc_provider import CLIENT_ID, PUBLIC_ID, SECRET, NodeProvider, sign_in_there

BASE = "http://nabd.example.org"
ROLES = {"roads": of_texts(["operator@tripoli"]), "council": of_texts(["ministry", "viewer@nowhere"])}


@pytest.fixture(scope="module")
def node() -> Iterator[NodeProvider]:
    """A provider that knows rima, of the roads department."""
    parts.need_node()
    try:
        with NodeProvider(f"{BASE}/signin/oidc/callback") as provider:
            yield provider
    except CannotInstall as reason:
        parts.missing(parts.OIDC_PACKAGES, str(reason))


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the database about a caller every time."""
    monkeypatch.setattr(identification, "KNOWN_S", 0.0)


def provider_at(issuer: str, *, public: bool = False) -> OidcProvider:
    return OidcProvider(
        OidcClient(
            issuer=issuer,
            client_id=PUBLIC_ID if public else CLIENT_ID,
            secret="" if public else SECRET,
            groups_claim="groups",
            roles=ROLES,
            name="Tripoli & Co",
        )
    )


def settings_of(issuer: str) -> Settings:
    roles = [GroupRole(role=Role.VIEWER, municipality=None)]
    return Settings(oidc_issuer=issuer, oidc_client_id=CLIENT_ID, oidc_roles={"roads": roles})


def app_with(pool: asyncpg.Pool, oidc: OidcProvider | None, now: Now = clock.wall) -> FastAPI:
    return create_app(pool=pool, kinds=builders.KINDS, now=now, beyond_loopback=True, oidc=oidc)


@asynccontextmanager
async def browsing(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that is signed in nowhere yet."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=("192.0.2.1", 1))
    async with httpx2.AsyncClient(
        transport=transport, base_url=BASE, headers={"Accept": "text/html"}
    ) as browser:
        yield browser


@pytest.fixture
async def browser(pool: asyncpg.Pool, node: NodeProvider) -> AsyncIterator[httpx2.AsyncClient]:
    async with browsing(app_with(pool, provider_at(node.issuer))) as client:
        yield client


@pytest.fixture
async def town(connection: asyncpg.Connection) -> None:
    await builders.add_town(connection)


async def back_from(browser: httpx2.AsyncClient, subject: str | None) -> str:
    """Begin, sign in at the provider, and return where it sends the browser."""
    began = await browser.get("/signin/oidc")
    assert began.status_code == 303, began.text
    return await sign_in_there(began.headers["location"], subject)


async def sign_in(browser: httpx2.AsyncClient, subject: str | None) -> httpx2.Response:
    return await browser.get(await back_from(browser, subject))


def assert_says(answer: httpx2.Response, key: str) -> None:
    """The page says why, in every language, and offers the form."""
    for language in LANGUAGES:
        assert text(language, key) in answer.text
    assert '<div class="wrong" role="alert">' in answer.text
    assert "<form" in answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")


async def test_person_of_a_group_signs_in_with_its_roles(
    browser: httpx2.AsyncClient, node: NodeProvider, connection: asyncpg.Connection, town: None
) -> None:
    node.know(
        "4711", name="ريما حداد", preferred_username="Rima.Haddad", locale="ar-LB",
        email="rima@example.org", groups=["roads", "unknown"],
    )  # fmt: skip

    form = (await browser.get("/alerts/17?severity=major", headers={"Accept": "text/html"})).text
    there = "/signin/oidc?to=%2Falerts%2F17%3Fseverity%3Dmajor"
    began = await browser.get(there)
    answer = await browser.get(await sign_in_there(began.headers["location"], "4711"))
    me = (await browser.get("/api/v1/session")).json()

    assert f'<a href="{there}"><bdi lang="en">Sign in with Tripoli &amp; Co</bdi>' in form
    asked = parse_qs(urlsplit(began.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid profile email groups"]
    cookie = began.headers["set-cookie"].lower()
    assert ("httponly" in cookie, "samesite=lax" in cookie) == (True, True)
    assert (
        answer.status_code,
        'http-equiv="refresh" content="0; url=/alerts/17?severity=major"' in answer.text,
    ) == (200, True)
    kept = next(c.lower() for c in answer.headers.get_list("set-cookie") if c.startswith(COOKIE))
    gone = [c.split("=")[0] for c in answer.headers.get_list("set-cookie") if "max-age=0" in c.lower()]
    assert gone == [FLOW_COOKIE, "nabd_oidc_to"]
    assert ("httponly" in kept, "samesite=strict" in kept) == (True, True)
    assert (me["user"], me["name"], me["language"], me["roles"]) == (
        "rima.haddad", "ريما حداد", "ar", ["operator@tripoli"],
    )  # fmt: skip
    person = await get_person(connection, "rima.haddad")
    assert (person.email, person.oidc_issuer) == ("rima@example.org", node.issuer)
    with pytest.raises(Conflict):
        await set_password(connection, person, "three short words", clock.wall(), by=PLATFORM)
    row = await connection.fetchrow("SELECT address, subject FROM audit WHERE action = 'person.add'")
    assert row is not None
    assert (row["address"], row["subject"]) == ("192.0.2.1", str(person.id))


async def test_roles_follow_the_groups_at_every_sign_in(
    browser: httpx2.AsyncClient, node: NodeProvider, connection: asyncpg.Connection, town: None
) -> None:
    node.know("1", preferred_username="samir", groups=["roads"])
    await sign_in(browser, "1")
    node.know("1", preferred_username="other", name="Samir", groups=["council"])
    await sign_in(browser, "1")

    me = (await browser.get("/api/v1/session")).json()
    assert (me["user"], me["name"], me["roles"]) == ("samir", "Samir", ["ministry"])

    samir = Actor(principal=(await get_person(connection, "samir")).id, address="")
    await create_token(connection, NewToken(name="of samir", role=Role.VIEWER), clock.wall(), by=samir)

    node.know("1", preferred_username="samir", groups=[])
    async with browsing(browser._transport.app) as elsewhere:  # type: ignore[attr-defined]
        answer = await sign_in(elsewhere, "1")

    assert answer.status_code == 403
    assert_says(answer, "page.oidc_group")
    assert (await get_person(connection, "samir")).grants == frozenset()
    assert (await browser.get("/api/v1/session")).status_code == 401  # where they were signed in before
    assert [token.revoked_at is None for token in await list_tokens(connection)] == [False]
    changes = await connection.fetch("SELECT after FROM audit WHERE action = 'person.edit' ORDER BY id")
    assert [row["after"]["roles"] for row in changes] == [["ministry"], []]


async def test_nobody_without_a_group_gets_in_or_is_remembered(
    browser: httpx2.AsyncClient, node: NodeProvider, connection: asyncpg.Connection
) -> None:
    node.know("2", preferred_username="stranger", groups=["gardens"])

    answer = await sign_in(browser, "2")

    assert answer.status_code == 403
    assert_says(answer, "page.oidc_group")
    assert await connection.fetchval("SELECT count(*) FROM person") == 0


async def test_who_has_the_name_or_the_address_of_somebody_is_somebody_else(
    browser: httpx2.AsyncClient, node: NodeProvider, connection: asyncpg.Connection, town: None
) -> None:
    own = NewPerson(name="rima", email="rima@example.org", grants=sorted(of_texts(["admin"]), key=str))
    await add_person(connection, own, clock.wall(), by=PLATFORM)
    node.know("3", preferred_username="rima", email="rima@example.org", groups=["roads"])

    await sign_in(browser, "3")

    me = (await browser.get("/api/v1/session")).json()
    assert (me["user"], me["roles"]) == ("rima-2", ["operator@tripoli"])


async def test_callback_is_good_once_and_in_the_browser_that_began(
    browser: httpx2.AsyncClient, node: NodeProvider, town: None
) -> None:
    node.know("4", preferred_username="amal", groups=["roads"])
    back = await back_from(browser, "4")
    kept = browser.cookies[FLOW_COOKIE]

    async with browsing(browser._transport.app) as elsewhere:  # type: ignore[attr-defined]
        stolen = await elsewhere.get(back)
    wrong = await browser.get(back.replace("state=", "state=x"))
    browser.cookies.set(FLOW_COOKIE, kept, domain="nabd.example.org", path="/signin/oidc")
    first = await browser.get(back)
    browser.cookies.set(FLOW_COOKIE, kept, domain="nabd.example.org", path="/signin/oidc")
    again = await browser.get(back)

    assert [a.status_code for a in (stolen, wrong, first, again)] == [401, 401, 200, 401]
    for answer in (stolen, wrong, again):
        assert_says(answer, "page.oidc_state")


async def test_who_stops_at_the_provider_or_is_disabled_here_is_told_so(
    browser: httpx2.AsyncClient, node: NodeProvider, connection: asyncpg.Connection, town: None
) -> None:
    stopped = await sign_in(browser, None)
    node.know("5", preferred_username="dina", groups=["roads"])
    await sign_in(browser, "5")
    await disable_person(connection, "dina", clock.wall(), by=PLATFORM)

    disabled = await sign_in(browser, "5")

    assert (stopped.status_code, disabled.status_code) == (401, 403)
    assert_says(stopped, "page.oidc_denied")
    assert_says(disabled, "page.oidc_disabled")


async def test_public_client_signs_in_without_a_secret(
    pool: asyncpg.Pool, node: NodeProvider, town: None
) -> None:
    node.know("6", preferred_username="hani", groups=["roads"])
    async with browsing(app_with(pool, provider_at(node.issuer, public=True))) as browser:
        assert (await sign_in(browser, "6")).status_code == 200


async def test_clock_that_is_off_is_told(pool: asyncpg.Pool, node: NodeProvider, town: None) -> None:
    node.know("7", preferred_username="omar", groups=["roads"])
    async with browsing(
        app_with(pool, provider_at(node.issuer), lambda: clock.wall() + 7200 * 10**6)
    ) as late:
        answer = await sign_in(late, "7")

    assert answer.status_code == 401
    assert_says(answer, "page.oidc_clock")


async def test_provider_that_is_away_is_told_and_not_waited_for(pool: asyncpg.Pool) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        issuer = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with browsing(app_with(pool, provider_at(issuer))) as browser:
        answer = await browser.get("/signin/oidc")
        program = await browser.get("/signin/oidc", headers={"Accept": "application/json"})

    assert answer.status_code == 503
    assert_says(answer, "page.oidc_away")
    assert (program.status_code, program.json()["type"]) == (503, "urn:nabd:problem:unavailable")
    settings = settings_of(issuer)
    assert (await doctor.check(settings)).verdict is Verdict.BAD


async def test_doctor_asks_the_provider(node: NodeProvider) -> None:
    settings = settings_of(node.issuer)

    found = await doctor.check(settings)

    assert (found.verdict, "shows 1 key" in found.said) == (Verdict.FINE, True)


async def test_sign_ins_that_only_begin_fill_nothing(
    browser: httpx2.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "MOST_WAITING", 2)

    answers = [await browser.get("/signin/oidc") for _ in range(3)]

    assert [a.status_code for a in answers] == [303, 303, 503]
    await connection.execute("UPDATE oidc_sign_in SET expires_at = now() - interval '1 second'")
    assert (await browser.get("/signin/oidc")).status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM oidc_sign_in") == 1


async def test_without_a_provider_there_is_neither_button_nor_route(pool: asyncpg.Pool) -> None:
    async with browsing(app_with(pool, None)) as browser:
        assert '<p class="provider" hidden>' in (await browser.get("/signin")).text
        assert (await browser.get("/signin/oidc")).status_code == 404
        assert (await browser.get("/signin/oidc/callback?state=x")).status_code == 404
