"""Who asks too often waits; who asks as people do never notices that there is a limit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from people.request_limits import MOST_KEYS, RequestLimit, RequestQuota
from tests.integration.api import builders

Asking = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
async def asking(pool: asyncpg.Pool) -> Asking:
    """Programs somewhere; five requests of a token may pass, ten of an address."""
    await builders.let_in(pool)
    app: FastAPI = create_app(
        pool=pool,
        kinds=builders.KINDS,
        now=builders.now,
        beyond_loopback=True,
        request_quota=RequestQuota(token=5, address=10),
    )

    @asynccontextmanager
    async def client(address: str, language: str = "en") -> AsyncIterator[httpx2.AsyncClient]:
        transport = httpx2.ASGITransport(app=app, client=(address, 1))
        headers = {**builders.BEARER, "Accept-Language": language}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://nabd.example.org", headers=headers
        ) as client:
            yield client

    return client


async def test_answers_say_what_is_left_and_one_too_many_is_told_to_wait(asking: Asking) -> None:
    async with asking("192.0.2.1", "fr") as client:
        answers = [await client.get("/api/v1/kinds") for _ in range(6)]

    assert [a.status_code for a in answers] == [200] * 5 + [429]
    first, late = answers[0], answers[-1]
    assert first.headers["ratelimit-policy"] == '"token";q=5;w=60, "address";q=10;w=60'
    assert first.headers["ratelimit"] == '"token";r=4;t=12, "address";r=9;t=6'
    assert (late.headers["content-type"], late.headers["content-language"]) == (
        "application/problem+json",
        "fr",
    )
    assert 1 <= int(late.headers["retry-after"]) <= 12
    assert late.json()["type"] == "urn:nabd:problem:too-many-requests"
    assert "Plus de 5 requêtes par minute" in late.json()["detail"]
    assert '"token";r=0' in late.headers["ratelimit"]


async def test_an_address_waits_whoever_it_says_it_is_and_files_and_probes_are_free(asking: Asking) -> None:
    async with (
        asking("2001:db8::1") as one,
        asking("2001:db8::2", "ar") as same,
        asking("192.0.2.9") as other,
    ):
        for _ in range(10):
            await one.get("/api/v1/kinds", headers={"Authorization": "Bearer made-up"})
        late = await same.get("/api/v1/kinds", headers={"Authorization": "Bearer made-up-too"})
        free = [(await same.get(path)).status_code for path in ("/healthz", "/console/signin.css") * 10]
        elsewhere = await other.get("/api/v1/kinds")

    assert late.status_code == 429
    assert "من عنوان واحد" in late.json()["detail"]
    assert set(free) == {200}
    assert elsewhere.status_code == 200


async def test_a_proxy_on_this_machine_speaks_for_everybody_and_counts_as_no_address(asking: Asking) -> None:
    async with asking("127.0.0.1") as client:
        ask: Callable[[str], Awaitable[httpx2.Response]] = lambda token: client.get(  # noqa: E731
            "/api/v1/kinds", headers={"Authorization": f"Bearer {token}"}
        )
        answers = [(await ask(f"made-up-{n}")).status_code for n in range(15)]
        known = await client.get("/api/v1/kinds")

    assert "ratelimit" in known.headers
    assert "address" not in known.headers["ratelimit"]
    assert known.status_code == 200
    assert 429 in answers
    assert answers[:10] == [401] * 10


def test_who_waits_as_long_as_told_is_answered_and_refusals_prolong_nothing() -> None:
    limit = RequestLimit(60)
    assert [limit.take("a", 0.0).wait_s for _ in range(61)] == [0] * 60 + [1]
    assert [limit.take("a", 0.5).wait_s for _ in range(100)] == [1] * 100
    assert limit.take("a", 1.0).wait_s == 0
    assert limit.take("b", 1.0).requests == 59
    assert limit.take("a", 1.0).again_s == 60
    assert limit.take("a", 60.0).requests == 58


def test_made_up_keys_do_not_fill_the_memory() -> None:
    limit = RequestLimit(2)
    for number in range(MOST_KEYS + 5):
        limit.take(f"address {number}", 0.0)

    assert limit.take("address 0", 0.0).requests == 1
    assert limit.take(f"address {MOST_KEYS + 4}", 0.0).requests == 0
