"""Tokens that are guessed, proxies that hide who calls, cookies of other sites on the same host."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
from structlog.testing import capture_logs

from api.app import create_app
from api.http.guards import COOKIE
from people.throttle import ALLOWED
from tests.integration.api import builders

pytestmark = pytest.mark.attack("signing in")


@pytest.fixture
async def beyond(pool: asyncpg.Pool) -> AsyncIterator[httpx2.AsyncClient]:
    """A program somewhere in the network."""
    app = create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=True)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://nabd.example.org") as client:
        yield client


async def test_guesses_are_slowed_down_and_logged_once(beyond: httpx2.AsyncClient) -> None:
    with capture_logs() as lines:
        answers = [await beyond.post("/signin", data={"token": f"guess-{n}"}) for n in range(ALLOWED + 5)]

    assert [a.status_code for a in answers[-5:]] == [429] * 5
    assert answers[-1].headers["Retry-After"]
    assert [line["event"] for line in lines].count("too many wrong tokens") == 1


async def test_program_that_repeats_a_revoked_token_is_no_guesser(beyond: httpx2.AsyncClient) -> None:
    revoked = {"Authorization": "Bearer revoked-token"}
    again = [await beyond.get("/api/v1/session", headers=revoked) for _ in range(ALLOWED + 5)]
    guess = await beyond.get("/api/v1/session", headers={"Authorization": "Bearer another"})

    assert [answer.status_code for answer in (*again, guess)] == [401] * (ALLOWED + 6)


@pytest.mark.parametrize("foreign", ['other="half', "a=b; ;;=; \x22", "other=\xff"])
async def test_broken_cookie_of_another_site_signs_nobody_out(
    beyond: httpx2.AsyncClient, connection: asyncpg.Connection, foreign: str
) -> None:
    token = await builders.token(connection, "amal")
    cookie = f"{foreign}; {COOKIE}={token}".encode("latin-1")

    answer = await beyond.get("/api/v1/municipalities", headers={b"Cookie": cookie})

    assert answer.status_code == 200


@pytest.mark.parametrize("header", ["Via", "X-Forwarded-Proto", "Forwarded", "X-Real-IP"])
async def test_call_through_a_proxy_is_not_one_from_this_machine(
    client: httpx2.AsyncClient, header: str
) -> None:
    assert (await client.get("/api/v1/municipalities", headers={header: "1.1 proxy"})).status_code == 421
