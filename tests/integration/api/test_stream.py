"""The live stream from a real server, read as a client reads it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from alerts.queue import comment
from api.app import create_app
from api.http import identification
from api.live import listener
from api.routes import stream
from api.schemas.commands import command_out
from api.schemas.latest import latest_out
from devices.commands.answered import record_response
from people import tokens
from people.identity import Identity
from tests.actors import actor
from tests.integration.api import builders
from tests.serving import serving
from tests.waiting import eventually

PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class Event:
    """One Server-Sent Event."""

    name: str
    id: str | None
    data: Any


async def read(response: httpx2.Response) -> AsyncIterator[Event]:
    """Yield the events of a stream as they come."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield Event(fields.get("event", "message"), fields.get("id"), json.loads(fields["data"]))
        fields = {}


@asynccontextmanager
async def listening(url: str, **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    """Open a stream; the value yields its events, `hello` first."""
    async with (
        asyncio.timeout(PATIENCE_S),
        httpx2.AsyncClient(timeout=PATIENCE_S, headers=builders.BEARER) as client,
        client.stream("GET", url, headers={k.replace("_", "-"): v for k, v in headers.items()}) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield read(response)


async def ready(url: str) -> None:
    """Wait until the live stream has found its place."""
    async with httpx2.AsyncClient(headers=builders.BEARER) as client, asyncio.timeout(PATIENCE_S):
        # An id that is not ours is refused once the stream has its place, so this never stays open.
        while (await client.get(f"{url}/api/v1/stream?last_event_id=x")).status_code == 503:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_alert_reaches_an_open_stream_with_its_present_state(
    server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await ready(server)

    async with listening(f"{server}/api/v1/stream") as events:
        hello = await anext(events)
        alert = await builders.fire(connection, device)
        event = await anext(events)

    assert (hello.name, hello.data["speed"]) == ("hello", 1.0)
    assert event.name == "alert"
    assert event.data["event"]["type"] == "opened"
    assert (event.data["alert"]["id"], event.data["alert"]["state"]) == (alert, "firing")


async def test_events_missed_while_away_are_replayed_once_and_in_order(
    server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await ready(server)
    async with listening(f"{server}/api/v1/stream") as events:
        await anext(events)
        await builders.fire(connection, device)
        last = await anext(events)
    await builders.resolve(connection, device)
    await builders.fire(connection, device)
    await builders.resolve(connection, device)

    async with listening(f"{server}/api/v1/stream", Last_Event_ID=str(last.id)) as events:
        hello = await anext(events)
        replayed = [await anext(events) for _ in range(3)]
        await builders.fire(connection, await builders.add(connection, "bin-2"))
        listener = await anext(events)

    assert hello.id == last.id
    assert [e.data["event"]["type"] for e in replayed] == ["resolved", "opened", "resolved"]
    assert listener.data["alert"]["device"] == "bin-2"
    ids = [tuple(map(int, str(e.id).split("-"))) for e in (last, *replayed, listener)]
    assert ids == sorted(set(ids))


async def test_stream_sends_only_what_the_client_asked_for(
    server: str, connection: asyncpg.Connection
) -> None:
    bin_ = await builders.add(connection, "bin-1")
    light = await builders.add(connection, "light-1", kind="light")
    await ready(server)

    async with listening(f"{server}/api/v1/stream?kind=light") as events:
        await anext(events)
        await builders.fire(connection, bin_)
        await builders.fire(connection, light, rule="lamp-failure")
        event = await anext(events)

    assert event.data["alert"]["device"] == "light-1"


async def test_newest_values_are_streamed_without_an_id(server: str, connection: asyncpg.Connection) -> None:
    device = await builders.add(connection, "bin-1")
    await ready(server)

    async with listening(f"{server}/api/v1/stream") as events:
        await anext(events)
        await builders.report(connection, device, fill_pct=42.0)
        event = await anext(events)

    assert (event.name, event.id) == ("latest", None)
    assert event.data["items"][0]["measurements"] == {"fill_pct": 42.0}


@pytest.mark.parametrize("apart_ms", [0, 1])
async def test_newest_values_of_many_devices_all_arrive_although_they_are_read_in_pages(
    server: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, apart_ms: int
) -> None:
    monkeypatch.setattr(listener, "LATEST_PAGE", 3)
    devices = [await builders.add(connection, f"bin-{i}") for i in range(10)]
    await ready(server)

    heard: dict[str, float] = {}
    async with listening(f"{server}/api/v1/stream") as events:
        await anext(events)
        async with connection.transaction():
            for i, device in enumerate(devices):
                at = builders.NOON + timedelta(milliseconds=i * apart_ms)
                await builders.report(connection, device, at=at, fill_pct=float(i))
        while len(heard) < 10:
            event = await anext(events)
            heard |= {item["device"]: item["measurements"]["fill_pct"] for item in event.data["items"]}

    assert heard == {f"bin-{i}": float(i) for i in range(10)}


async def test_stream_goes_on_after_its_database_connection_was_killed(
    server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await ready(server)

    async with listening(f"{server}/api/v1/stream") as events:
        await anext(events)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        alert = await builders.fire(connection, device)
        event = await anext(events)

    assert event.data["alert"]["id"] == alert


async def test_stream_leaves_out_an_alert_that_cannot_be_shown_and_says_so_once(
    app: FastAPI, connection: asyncpg.Connection
) -> None:
    faulty = await builders.add(connection, "bin-1")
    sound = await builders.add(connection, "bin-2")

    with capture_logs() as logged:
        async with serving(app) as url:
            await ready(url)
            async with listening(f"{url}/api/v1/stream") as events:
                await anext(events)
                async with connection.transaction():
                    left_out = await builders.fire(connection, faulty)
                    await connection.execute("UPDATE alert SET summary = $1", {"en": 1})
                await builders.resolve(connection, faulty)
                alert = await builders.fire(connection, sound)
                event = await anext(events)

    assert event.data["alert"]["id"] == alert
    said = [line for line in logged if line["event"].startswith("live stream")]
    assert [(line["row"], line["id"]) for line in said] == [("alert", str(left_out))]


async def test_stream_leaves_out_what_cannot_be_shown_of_readings_and_commands(
    server: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with a row is a fault of that row."""

    def but_for(show: Callable[..., Any]) -> Callable[..., Any]:
        def shown(*args: Any) -> Any:
            if args[-1].device == "bin-1":
                raise OverflowError("date value out of range")
            return show(*args)

        return shown

    monkeypatch.setattr(listener, "latest_out", but_for(latest_out))
    monkeypatch.setattr(listener, "command_out", but_for(command_out))
    devices = [await builders.add(connection, name) for name in ("bin-1", "bin-2")]
    await ready(server)

    async with listening(f"{server}/api/v1/stream") as events:
        await anext(events)
        given = [await builders.command(connection, device) for device in devices]
        for device in devices:
            await builders.report(connection, device, fill_pct=1.0)
        found = [await anext(events) for _ in range(2)]

    shown = {one.name: one.data for one in found}
    assert shown["command"]["id"] == str(given[1])
    assert [one["device"] for one in shown["latest"]["items"]] == ["bin-2"]


async def test_stream_and_lists_go_on_whatever_a_device_answers(
    server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await ready(server)
    async with listening(f"{server}/api/v1/stream") as events:
        await anext(events)
        for said in (
            "no uplink since 2026-01-01",
            "no uplink since 0001-01-01T00:00:00+14:00",
            "no uplink since 2026-01-01T00:00:00Z",
            "a gateway sent it",
        ):
            given = await builders.command(connection, device)
            assert (await anext(events)).data["status"] == "queued"
            await record_response(connection, device.name, given, "failed", builders.now, detail=said)
            event = await anext(events)

            assert (event.data["id"], event.data["status"]) == (str(given), "failed")
            assert said in event.data["detail"]
            assert (event.data["detail_code"], event.data["detail_at"]) == (None, None)
    async with httpx2.AsyncClient(headers=builders.BEARER) as client:
        for path in ("commands", "devices/bin-1/commands"):
            answer = await client.get(f"{server}/api/v1/{path}")
            assert [one["detail_code"] for one in answer.json()["items"]] == [None] * 4


async def test_stream_refuses_an_event_id_that_is_not_ours(server: str) -> None:
    await ready(server)
    async with httpx2.AsyncClient(headers=builders.BEARER) as client:
        answer = await client.get(f"{server}/api/v1/stream", headers={"Last-Event-ID": "yesterday"})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_server_stops_at_once_although_a_stream_is_open(app: FastAPI) -> None:
    loop = asyncio.get_running_loop()
    async with serving(app) as url:
        await ready(url)
        async with listening(f"{url}/api/v1/stream") as events:
            await anext(events)
            began = loop.time()
            app.state.context.live.close()
            rest = [event async for event in events]

    assert rest == []
    assert loop.time() - began < 3


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the database about a caller every time."""
    monkeypatch.setattr(identification, "KNOWN_S", 0.0)


@pytest.fixture
async def guarded(pool: asyncpg.Pool) -> AsyncIterator[str]:
    """Address of the application as beyond loopback."""
    app = create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=True)
    async with serving(app) as url:
        yield url


async def ended(events: AsyncIterator[Event]) -> bool:
    """Read on until the server ends the stream."""
    async for _ in events:
        pass
    return True


@pytest.mark.parametrize("end", ["DELETE FROM token", "UPDATE token SET expires_at = '2000-01-01Z'"])
async def test_stream_ends_when_its_token_is_withdrawn(
    guarded: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(stream, "RECHECK_S", 0.1)
    token = await builders.token(connection, "test")
    await eventually(lambda: opens(guarded, token))

    async with listening(f"{guarded}/api/v1/stream", authorization=f"Bearer {token}") as events:
        assert (await anext(events)).name == "hello"
        await connection.execute(end)

        assert await ended(events)
    assert not await opens(guarded, token)


async def test_stream_ends_with_its_token_although_there_is_always_something_to_send(
    guarded: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "RECHECK_S", 0.5)
    token = await builders.token(connection, "test")
    device = await builders.add(connection, "bin-1")
    alert = await builders.fire(connection, device)
    await eventually(lambda: opens(guarded, token))

    async def talk() -> None:
        while True:
            await comment(
                connection, alert, by=await actor(connection, "rima"), body="still there", now=builders.now()
            )

    async with listening(f"{guarded}/api/v1/stream", authorization=f"Bearer {token}") as events:
        assert (await anext(events)).name == "hello"
        await connection.execute("DELETE FROM token")
        talking = asyncio.create_task(talk())
        try:
            assert await ended(events)
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)


async def test_stream_goes_on_while_its_token_is_valid_or_nobody_can_tell(
    guarded: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "RECHECK_S", 0.05)
    asked = []

    async def again(connection: asyncpg.Connection, principal: int, now: int) -> Identity | None:
        asked.append(principal)
        if len(asked) == 3:
            raise asyncpg.ConnectionDoesNotExistError("the database is away")
        return await real(connection, principal, now)

    real = tokens.identity_again
    token = await builders.token(connection, "test")
    await eventually(lambda: opens(guarded, token))
    device = await builders.add(connection, "bin-1")
    async with listening(f"{guarded}/api/v1/stream", authorization=f"Bearer {token}") as events:
        assert (await anext(events)).name == "hello"
        monkeypatch.setattr(tokens, "identity_again", again)

        async def often() -> bool:
            return len(asked) > 5

        await eventually(often)
        await builders.fire(connection, device)
        assert (await anext(events)).name == "alert"


async def opens(url: str, token: str) -> bool:
    """Tell whether a stream could be opened: the token is good and the stream has found its place."""
    async with httpx2.AsyncClient(headers=builders.BEARER) as client:
        headers = {"Authorization": f"Bearer {token}"}
        # An id that is not ours is refused last, so this never stays open.
        answer = await client.get(f"{url}/api/v1/stream?last_event_id=x", headers=headers)
    return answer.status_code == 400
