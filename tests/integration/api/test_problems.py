"""Every error is a problem in the reader's language, never a traceback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.context import LONG_QUERIES, AppContext

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en-GB,en", "No such device"),
        ("fr-FR", "Appareil inconnu"),
        ("ar-LB,fr;q=0.5", "جهاز غير معروف"),
        ("de", "No such device"),
    ],
)
async def test_problem_title_is_in_the_readers_language(
    client: httpx2.AsyncClient, language: str, title: str
) -> None:
    answer = await client.get("/api/v1/devices/nobody", headers={"Accept-Language": language})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:nabd:problem:unknown-device",
        "title": title,
        "status": 404,
        "detail": "no device is called 'nobody'",
        "instance": "/api/v1/devices/nobody",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("DELETE", "/api/v1/devices", 405, "method-not-allowed"),
        ("GET", "/api/v1/devices?limit=1001", 422, "invalid"),
        ("GET", "/api/v1/devices?limit=x", 422, "invalid"),
        ("GET", "/api/v1/devices?search=%00", 422, "invalid"),
        ("GET", "/api/v1/alerts?severity=awful", 422, "invalid"),
        ("GET", "/api/v1/alerts/99999999999999999999", 422, "invalid"),
        ("GET", "/api/v1/alerts/7", 404, "unknown-alert"),
        ("POST", "/api/v1/alerts/7/acknowledge", 404, "unknown-alert"),
        ("GET", "/api/v1/ledger?every=1m", 422, "invalid"),
        ("GET", "/api/v1/ledger?since=0001-01-01T00:00:00%2B14:00", 422, "invalid"),
        ("GET", "/api/v1/devices/bin-1/readings?end=0001-01-01T00:00:00Z", 422, "invalid"),
        ("GET", "/api/v1/devices/bin-1/readings?end=9999-12-31T23:59:59-14:00", 422, "invalid"),
        ("GET", "/api/v1/rules/none/explain?device=bin-1&at=0001-01-01T00:00:00%2B14:00", 422, "invalid"),
        ("POST", "/signin", 401, "unauthorized"),
        ("GET", "/console/../../etc/passwd", 404, "not-found"),
    ],
)
async def test_request_that_cannot_be_served_gets_a_problem(
    client: httpx2.AsyncClient, method: str, path: str, status: int, slug: str
) -> None:
    answer = await client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:nabd:problem:{slug}"
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", JSON, 422),
        (b"[]", JSON, 422),
        (b"\xff\xfe", JSON, 422),
        (b'{"name": "a b", "kind": "bin", "municipality": "tripoli"}', JSON, 422),
        (b'{"name": "a", "kind": "bin", "municipality": "nowhere"}', JSON, 422),
        (b'{"name": "a", "kind": "toaster", "municipality": "nowhere"}', JSON, 422),
        (b'{"name": "a", "kind": "bin", "municipality": "t", "colour": 1}', JSON, 422),
        (b'{"name": "a", "kind": "bin", "municipality": "t", "title": "\\u0000"}', JSON, 422),
        (b'{"name": "a", "kind": "bin", "municipality": "t", "lat": NaN}', JSON, 422),
        (b"[" * 100_000, JSON, 400),
        (b"x" * 300_000, JSON, 413),
    ],
)
async def test_bad_body_gets_a_problem(
    client: httpx2.AsyncClient, body: bytes, headers: Mapping[str, str], status: int
) -> None:
    answer = await client.post("/api/v1/devices", content=body, headers=headers)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text


async def test_body_without_a_length_is_refused_when_it_grows_too_large(client: httpx2.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 1000

    answer = await client.post("/api/v1/devices", content=endless(), headers=JSON)

    assert answer.status_code == 413


async def test_outage_of_the_database_is_a_problem_that_says_try_again(
    client: httpx2.AsyncClient, own_pool: asyncpg.Pool
) -> None:
    own_pool.terminate()

    answer = await client.get("/api/v1/devices")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["type"] == "urn:nabd:problem:unavailable"


LONG = (
    "alerts?words=bin&order=worst",
    "alerts/counts",
    "blind-rules",
    "devices?search=bin",
    "figures?municipality=tripoli",
    "ledger",
    "map",
    "quarantine",
    "rejections",
    "standings?sort=worst",
    "standings?format=csv",
    "work-orders?text=bin",
)
"""What may read much: searched, sorted, counted."""


async def test_what_reads_much_waits_and_leaves_connections_to_what_is_short(
    app: FastAPI, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.context.POOL_TIMEOUT_S", 0.02)
    context: AppContext = app.state.context
    for _ in range(LONG_QUERIES):
        await context.long_queries.acquire()

    for path in LONG:
        answer = await client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.headers.get("retry-after")) == (503, "5"), path
    assert (await client.get("/api/v1/devices/nobody")).status_code == 404

    context.long_queries.release()
    for path in LONG:
        status = (await client.get(f"/api/v1/{path}")).status_code
        assert status == (404 if path.startswith("figures") else 200), path


async def test_fault_of_our_own_is_a_problem_without_its_traceback(
    app: FastAPI, client: httpx2.AsyncClient
) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("secret")

    app.add_api_route("/broken", broken)

    answer = await client.get("/broken", headers={"Accept-Language": "fr"})

    assert answer.status_code == 500
    assert answer.json()["title"] == "Une erreur s'est produite de notre côté"
    assert "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
