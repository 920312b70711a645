"""The session fed with bytes, without a broker."""

from __future__ import annotations

import asyncio
from typing import cast

import mqtt5
import pytest

from ingest.broker.session import LITTLE, Connection, IngestBroker


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""
        self.spoken = asyncio.Event()
        self.closed = False
        self.reading, self.reads = True, asyncio.Event()

    def write(self, data: bytes) -> None:
        self.written += data
        self.spoken.set()

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True
        self.reads.set()

    def close(self) -> None:
        self.closed = True


def connected(*, told_s: int | None, own_s: float) -> tuple[Connection, Wire]:
    """Return a connection that a broker has let in, telling its own keep-alive or not."""
    broker = IngestBroker(host="none", port=0, client_id="c", keep_alive_s=cast(int, own_s))
    connection, wire = Connection(broker, lambda: 0), Wire()
    connection._transport = cast(asyncio.Transport, wire)
    connection.data_received(mqtt5.ConnAckPacket(server_keep_alive=told_s).write())
    wire.written = b""
    wire.spoken.clear()
    return connection, wire


async def test_session_pings_as_often_as_the_broker_asks_when_it_asks_for_more() -> None:
    connection, wire = connected(told_s=1, own_s=600)

    async with asyncio.timeout(10):
        keeping = asyncio.create_task(connection.keep_alive())
        await wire.spoken.wait()
    keeping.cancel()

    assert wire.written == mqtt5.PingReqPacket().write()


@pytest.mark.parametrize("told_s", [None, 0, 600])
async def test_session_notices_a_mute_broker_by_its_own_interval_whatever_the_broker_asks(
    told_s: int | None,
) -> None:
    connection, _ = connected(told_s=told_s, own_s=0.1)
    connection.ready.add_done_callback(lambda ready: ready.exception())

    await asyncio.wait_for(connection.keep_alive(), 10)

    assert "has not answered" in connection.lost.result()


async def test_session_rests_after_little_and_reads_on_by_itself() -> None:
    connection, wire = connected(told_s=None, own_s=5)

    assert not wire.reading
    await asyncio.wait_for(wire.reads.wait(), 5)

    connection.data_received(mqtt5.PublishPacket("t", bytes(2 * LITTLE)).write())
    assert wire.reading


@pytest.mark.parametrize(
    ("code", "taken"),
    [
        (mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER, True),
        (mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN, False),
    ],
)
async def test_session_knows_that_another_client_took_it(
    code: mqtt5.DisconnectReasonCode, taken: bool
) -> None:
    connection, _ = connected(told_s=None, own_s=5)
    connection.ready.add_done_callback(lambda ready: ready.exception())

    connection.data_received(mqtt5.DisconnectPacket(reason_code=code).write())

    assert connection.taken_over is taken
    assert code.name in connection.lost.result()
