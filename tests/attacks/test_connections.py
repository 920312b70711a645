"""Slow, idle and numerous connections: the API answers everybody else meanwhile."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from api.http import caller, connections
from tests.attacks.sockets import closed, opened
from tests.integration.api import builders
from tests.serving import serving

pytestmark = pytest.mark.attack("connections that are slow, idle or many")

STALLED = (
    b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
)


@pytest.mark.parametrize("path", ["/signin", "/api/v1/alerts/1/acknowledge", "/api/v1/rules/test"])
async def test_bodies_that_never_come_keep_nobody_else_waiting(app: FastAPI, path: str) -> None:
    async with serving(app) as url, opened(url, 40, STALLED % path.encode()) as stalled:
        async with httpx2.AsyncClient(base_url=url, timeout=5, headers=builders.BEARER) as client:
            answers = await asyncio.gather(*(client.get("/api/v1/municipalities") for _ in range(20)))

        assert {answer.status_code for answer in answers} == {200}
        assert not any(reader.at_eof() for reader, _ in stalled)


async def test_body_that_never_comes_is_answered_and_its_connection_closed(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 1.0)  # in which a busy machine reads a head
    monkeypatch.setattr(caller, "BODY_S", 0.2)

    async with serving(app) as url, opened(url, 1, STALLED % b"/signin") as [stalled]:
        said = await closed(stalled, within_s=20)

    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"urn:nabd:problem:timeout" in said


async def test_connection_without_a_request_is_closed(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)

    async with serving(app) as url, opened(url, 1) as [silent], opened(url, 1, b"GET /heal") as [halting]:
        assert await closed(silent, within_s=20) == b""
        assert await closed(halting, within_s=20) == b""


async def test_head_that_comes_byte_by_byte_does_not_stay(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.5)

    async def dribble(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"X")
            await asyncio.sleep(0.05)

    async with serving(app) as url, opened(url, 1, b"GET /healthz HTTP/1.1\r\nHost: ") as [slow]:
        dribbling = asyncio.create_task(dribble(slow[1]))
        try:
            assert await closed(slow, within_s=20) == b""
        finally:
            dribbling.cancel()


async def test_idle_connections_beyond_the_limit_give_way(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST", 50)

    async with serving(app) as url, opened(url, 80) as idle, httpx2.AsyncClient(base_url=url) as client:
        assert (await client.get("/healthz")).status_code == 200
        await asyncio.gather(*(closed(connection, within_s=20) for connection in idle[:30]))

        assert not any(reader.at_eof() for reader, _ in idle[31:])


@pytest.mark.attack("answers that break off")
async def test_caller_that_leaves_ends_its_query(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def endless(*_: object, **__: object) -> list[object]:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return []

    monkeypatch.setattr("api.routes.municipalities.registry.list_municipalities", endless)
    request = b"GET /api/v1/municipalities HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    request += f"Authorization: Bearer {builders.TOKEN}\r\n\r\n".encode()

    async with serving(app) as url, opened(url, 1, request) as [(_, writer)]:
        await asyncio.wait_for(began.wait(), 20)
        writer.close()

        await asyncio.wait_for(ended.wait(), 20)
