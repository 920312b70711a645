"""Who may ask: tokens beyond loopback, host names and origins on it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.app import routes_of as declared_routes_of
from api.http import identification
from api.http.guards import COOKIE
from devices.instants import to_datetime
from tests.integration.api import builders

NAMED = {
    "device": "bin-1",
    "alert_id": "1",
    "rule": "r",
    "window": "1",
    "municipality": "tripoli",
    "layer": "districts",
}
"""What stands for each parameter of a path."""


INSTALLED = [
    "/sw.js",
    "/manifest.webmanifest",
    "/console/icons/192.png",
    "/console/icons/512.png",
    "/console/icons/512-maskable.png",
]


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """Return every method and path, each parameter filled in."""
    return [(method, re.sub(r"{\w+}", "1", path)) for method, path in declared_routes_of(app)]


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the database about a caller every time."""
    monkeypatch.setattr(identification, "KNOWN_S", 0.0)


@pytest.fixture
async def guarded(pool: asyncpg.Pool) -> FastAPI:
    """The application as beyond loopback."""
    return create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=True)


@pytest.fixture
async def stranger(guarded: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A program without a token, from anywhere."""
    transport = httpx2.ASGITransport(app=guarded, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://nabd.example.org") as client:
        yield client


PUBLISHED = {
    ("GET", "/ngsi-ld/v1/context.jsonld"): 200,  # words of a vocabulary
    ("GET", "/open-data"): 200,
    ("GET", "/open-data/catalogue.jsonld"): 200,
    **{("GET", f"/open-data/1/1.{form}"): 422 for form in ("csv", "geojson", "parquet")},  # no kind's name
}
"""What is for everybody, and what it answers."""


async def test_every_route_but_healthz_needs_a_token_beyond_loopback(
    guarded: FastAPI, stranger: httpx2.AsyncClient
) -> None:
    routes = routes_of(guarded)
    assert len(routes) > 20

    answers = {route: (await stranger.request(*route)).status_code for route in routes}

    documented = guarded.openapi()["paths"]
    for (method, path), status in answers.items():
        if path in documented:
            assert str(status) in documented[path][method.lower()]["responses"], (method, path, status)
    assert answers.pop(("GET", "/healthz")) == 200
    assert answers.pop(("GET", "/signin")) == 200  # the form
    assert answers.pop(("GET", "/console/signin.css")) == 200
    assert answers.pop(("GET", "/trust")) == 200  # a phone cannot sign in before it trusts
    assert answers.pop(("GET", "/trust/authority.crt")) == 404  # there is none
    assert answers.pop(("GET", "/signin/oidc")) == 404  # no provider is configured
    assert answers.pop(("GET", "/signin/oidc/callback")) == 404
    assert answers.pop(("GET", "/firmware/1")) == 401  # a device shows its own password
    assert answers.pop(("GET", "/answer/1")) == 404  # signed by nobody
    assert answers.pop(("POST", "/answer/1")) == 422  # says no answer
    for file in INSTALLED:
        assert answers.pop(("GET", file)) == 200  # what an installed console needs
    assert {route: answers.pop(route) for route in PUBLISHED} == PUBLISHED
    assert set(answers.values()) == {401}


async def test_wrong_token_is_refused_everywhere(guarded: FastAPI, stranger: httpx2.AsyncClient) -> None:
    headers = {"Authorization": "Bearer wrong", "Cookie": f"{COOKIE}=wrong"}

    answers = {
        route: (await stranger.request(*route, headers=headers)).status_code for route in routes_of(guarded)
    }

    assert {route for route, status in answers.items() if status not in (401, 429)} == {
        ("GET", "/healthz"),
        ("GET", "/signin"),
        ("GET", "/signin/oidc"),
        ("GET", "/signin/oidc/callback"),
        ("GET", "/console/signin.css"),
        ("GET", "/trust"),
        ("GET", "/trust/authority.crt"),
        *(("GET", file) for file in INSTALLED),
        *PUBLISHED,
        ("GET", "/answer/1"),  # signed by nobody: what counts here is the link, no token
        ("POST", "/answer/1"),  # without an answer; what it answers is never guessed
    }


async def test_outage_is_told_as_one_although_nobody_can_judge_the_token(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    headers = {"Authorization": f"Bearer {await builders.token(connection, 'test')}"}
    pool.terminate()

    answer = await stranger.get("/api/v1/devices", headers=headers)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["type"] == "urn:nabd:problem:unavailable"


async def test_operator_sees_metrics_during_an_outage_with_a_token_that_was_good_before(
    guarded: FastAPI, stranger: httpx2.AsyncClient, connection: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    good, withdrawn, late = [
        {"Authorization": f"Bearer {await builders.token(connection, name)}"}
        for name in ("good", "withdrawn", "late")
    ]
    for headers in (good, withdrawn):
        assert (await stranger.get("/metrics", headers=headers)).status_code == 200
    await connection.execute("DELETE FROM token WHERE name = 'withdrawn'")
    assert (await stranger.get("/metrics", headers=withdrawn)).status_code == 401

    pool.terminate()

    metrics = await stranger.get("/metrics", headers=good)
    assert (metrics.status_code, "nabd_database_up 0.0" in metrics.text) == (200, True)
    assert "database" in (await stranger.get("/readyz", headers=good)).json()["parts"]
    for headers in (withdrawn, late):
        refused = await stranger.get("/metrics", headers=headers)
        assert (refused.status_code, "nabd_" in refused.text) == (503, False)
    assert (await stranger.get("/api/v1/devices", headers=good)).status_code == 503


async def test_token_opens_routes_and_expires(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    token = await builders.token(connection, "test")
    headers = {"Authorization": f"Bearer {token}"}

    valid = await stranger.get("/api/v1/devices", headers=headers)
    past = to_datetime(builders.now()) - timedelta(seconds=1)
    await connection.execute("UPDATE token SET expires_at = $1", past)
    expired = await stranger.get("/api/v1/devices", headers=headers)

    assert (valid.status_code, expired.status_code) == (200, 401)
    assert 'error="invalid_token"' in expired.headers["www-authenticate"]


async def test_token_is_not_kept_in_clear(connection: asyncpg.Connection) -> None:
    token = await builders.token(connection, "test")

    row = await connection.fetchrow("SELECT name, hash FROM token")

    assert row is not None
    assert token.encode() not in row["hash"]
    assert len(row["hash"]) == 32


async def test_sign_in_link_gives_a_cookie_that_opens_the_console(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    token = await builders.token(connection, "test")

    asked = await stranger.get(f"/signin?token={token}")
    assert (asked.status_code, "set-cookie" in asked.headers) == (200, False)
    signed_in = await stranger.post("/signin", data={"token": token})
    page = await stranger.get("/")

    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")
    cookie = signed_in.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert page.status_code == 200


async def test_form_signs_in_without_the_token_in_an_address(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    token = await builders.token(connection, "test")

    signed_in = await stranger.post("/signin", data={"token": f" {token} "})

    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")
    assert (await stranger.get("/")).status_code == 200


async def test_browser_with_a_wrong_token_is_told_so_and_asked_again(stranger: httpx2.AsyncClient) -> None:
    answer = await stranger.post("/signin", headers={"Accept": "text/html"}, data={"token": "wrong"})

    assert answer.status_code == 401
    assert '<div class="wrong" role="alert">' in answer.text
    assert "<form" in answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("127.0.0.2:8000", 200),
        ("[::1", 421),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421),
        ("", 421),
    ],
)
async def test_loopback_answers_only_to_names_of_loopback(
    client: httpx2.AsyncClient, host: str, status: int
) -> None:
    answer = await client.get("/healthz", headers={"Host": host})

    assert answer.status_code == status


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_proxy_does_not_pass_for_loopback(client: httpx2.AsyncClient, header: str) -> None:
    answer = await client.get("/api/v1/devices", headers={header: "203.0.113.7"})

    assert answer.status_code == 421
    assert "NABD_HTTP_TOKEN_ALWAYS" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://127.0.0.1"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "null"}, False),
    ],
)
async def test_page_of_another_site_may_change_nothing(
    client: httpx2.AsyncClient, headers: dict[str, str], allowed: bool
) -> None:
    answer = await client.post("/api/v1/alerts/1/acknowledge", headers=headers)

    assert answer.status_code == (404 if allowed else 403)


async def test_every_answer_has_security_headers(client: httpx2.AsyncClient) -> None:
    for path in ("/", "/healthz", "/api/v1/devices", "/nothing"):
        headers = (await client.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
