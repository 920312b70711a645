"""Commands with an Idempotency-Key are done once: across restarts, processes, and at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import httpx2
import pytest

from api.app import create_app
from api.http.problems import Problem
from api.idempotency import ChangeRequest
from api.idempotency_keys import KEYS, REMEMBERED
from api.routes.alerts import CommentOut
from devices.instants import to_datetime
from store.connection import Connection
from store.pool import open_pool
from tests.integration.api import builders
from tests.waiting import eventually

HOUR = 3_600_000_000


@asynccontextmanager
async def process(dsn: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application with a pool of its own, as a process of the API has."""
    pool = await open_pool(dsn)
    await builders.let_in(pool)
    app = create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=False)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=builders.BEARER
    ) as client:
        yield client
    await pool.close()


@pytest.fixture
async def comments(connection: asyncpg.Connection) -> str:
    """Address of the comments of an open alert."""
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    return f"/api/v1/alerts/{alert}/comments"


async def said(connection: asyncpg.Connection) -> list[str]:
    return [r["body"] for r in await connection.fetch("SELECT body FROM alert_note ORDER BY id")]


async def post(client: httpx2.AsyncClient, url: str, body: str, key: str = "k") -> httpx2.Response:
    return await client.post(url, json={"body": body}, headers={"Idempotency-Key": key})


async def test_repeat_gets_the_first_answer_after_a_restart(
    dsn: str, connection: asyncpg.Connection, comments: str
) -> None:
    async with process(dsn) as client:
        first = await post(client, comments, "on my way")
    async with process(dsn) as client:
        again = await post(client, comments, "on my way")
        other = await post(client, comments, "another thing")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert other.json()["detail"] == "Idempotency-Key: was used with another body"
    assert await said(connection) == ["on my way"]


async def test_work_is_done_once_when_two_processes_are_asked_at_the_same_time(
    dsn: str, connection: asyncpg.Connection, comments: str
) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(process(dsn)) for _ in range(2)]
        answers = await asyncio.gather(*(post(client, comments, "on my way") for client in clients * 4))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await said(connection) == ["on my way"]


async def test_work_is_done_each_time_without_a_key_under_other_keys_and_on_other_routes(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, comments: str
) -> None:
    other = await builders.fire(connection, await builders.add(connection, "bin-2"))

    for key in ("a", "b"):
        await post(client, comments, "with a key", key)
    for _ in range(2):
        await client.post(comments, json={"body": "without"})
    await post(client, f"/api/v1/alerts/{other}/comments", "elsewhere", "a")

    assert await said(connection) == ["with a key", "with a key", "without", "without", "elsewhere"]


async def test_note_on_a_device_that_is_sent_twice_is_one_note(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")

    url = "/api/v1/devices/bin-1/notes"
    first, again = [await post(client, url, "the key hangs there") for _ in range(2)]

    assert first.status_code == 201, first.text
    assert first.json() == again.json()
    assert await connection.fetchval("SELECT count(*) FROM device_note") == 1


async def test_window_that_is_planned_twice_with_one_key_is_one_window(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    body = {"device": "bin-1", "until_at": "2100-01-01T00:00:00Z", "reason": "washing"}
    body["until_at"] = (builders.NOON.replace(hour=13)).isoformat()

    first, again = [
        await client.post("/api/v1/maintenance", json=body, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]

    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    assert await connection.fetchval("SELECT count(*) FROM maintenance_window") == 1


WAITING = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO idempotency_key%'
        AND datname = current_database()
)
"""
"""Whether somebody waits for the one who has a key."""


def command_on(connection: Connection, key: str = "k", at: int | None = None) -> ChangeRequest:
    now = builders.now() if at is None else at
    return ChangeRequest(connection=connection, key=key, route="POST /comments", at=now)


class Work:
    """Adds a comment, and fails after it the first `failures` times, once `go` is set."""

    def __init__(self, connection: Connection, alert: int, failures: int = 0) -> None:
        self.connection = connection
        self.alert = alert
        self.failures = failures
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> CommentOut:
        self.begun.set()
        number = await self.connection.fetchval(
            "INSERT INTO alert_note (alert_id, type, body, created_at)"
            " VALUES ($1, 'comment', 'done', now()) RETURNING id",
            self.alert,
        )
        await self.go.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("away")
        return CommentOut(id=number)


async def test_who_waited_does_the_work_when_the_first_one_failed_and_nothing_of_that_stays(
    dsn: str, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    async with pool.acquire() as one, pool.acquire() as two:
        failing, working = Work(one, alert, failures=1), Work(two, alert)
        working.go.set()
        first = asyncio.create_task(command_on(one).once(CommentOut, failing))
        await failing.begun.wait()
        second = asyncio.create_task(command_on(two).once(CommentOut, working))
        await eventually(lambda: connection.fetchval(WAITING))
        failing.go.set()

        with pytest.raises(OSError, match="away"):
            await first
        done = await second

    assert [row["id"] for row in await connection.fetch("SELECT id FROM alert_note")] == [done.id]


async def test_key_is_forgotten_after_a_day(connection: asyncpg.Connection) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    work = Work(connection, alert)
    work.go.set()
    for key, age in (("old", 25), ("new", 23)):
        await command_on(connection, key, builders.now() - age * HOUR).once(CommentOut, work)

    now = to_datetime(builders.now())
    await KEYS.forget_before(connection, now - REMEMBERED, limit=100, now=now)

    kept = await connection.fetch("SELECT key, created_at FROM idempotency_key")
    assert [tuple(row) for row in kept] == [("new", to_datetime(builders.now() - 23 * HOUR))]


async def test_body_is_compared_with_that_of_the_first_request(connection: asyncpg.Connection) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    work = Work(connection, alert)
    work.go.set()
    command = command_on(connection)
    first = await command.once(CommentOut, work, CommentOut(id=1))

    assert await command.once(CommentOut, work, CommentOut(id=1)) == first
    with pytest.raises(Problem, match="another body"):
        await command.once(CommentOut, work, CommentOut(id=2))
