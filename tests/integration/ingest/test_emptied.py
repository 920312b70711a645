"""What the broker holds over a slow link: a shard has not emptied before all of it has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiomqtt

from ingest.broker.hearing import Hearing
from ingest.broker.session import Connection, IngestBroker, connect
from tests.brokers import Mosquitto
from tests.waiting import now

HELD, WINDOW = 1_500, 200
PIECE, PAUSE_S = 4_096, 0.01


@asynccontextmanager
async def slow_link(port: int) -> AsyncIterator[int]:
    """Pass on to a broker, and a little at a time back from it; give the port of the link."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause_s: float) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE):
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(pause_s)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    joined = asyncio.Event()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, far_writer, 0.0), carry(far_reader, writer, PAUSE_S))
        joined.set()

    async with await asyncio.start_server(join, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        async with asyncio.timeout(30):
            await joined.wait()  # both directions are closed, or a later test finds them open


def ingest(port: int) -> IngestBroker:
    return IngestBroker(host="127.0.0.1", port=port, client_id="nabd-test", receive_maximum=WINDOW)


async def left(connection: Connection) -> None:
    """Leave the broker, and wait until it is left."""
    connection.close()
    await connection.lost


async def test_shard_has_emptied_once_all_that_the_broker_held_has_come(mosquitto: Mosquitto) -> None:
    await left(await connect(ingest(mosquitto.port), Hearing(), now))
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as device:
        for number in range(HELD):
            await device.publish("nabd/v1/saida/bin/s000/telemetry", b'{"ts":%d}' % number, qos=1)

    came = empty_moments = 0
    async with slow_link(mosquitto.port) as port:
        connection = await connect(ingest(port), Hearing(), now)
        async with asyncio.timeout(30):
            while True:
                if intake := connection.take(HELD, 0):
                    came += len(intake)
                    connection.acknowledge(intake.packet_ids)
                elif connection.has_emptied():
                    break
                else:
                    empty_moments += 1
                    await asyncio.sleep(0.002)
        await left(connection)

    assert came == HELD
    assert empty_moments > HELD // WINDOW
