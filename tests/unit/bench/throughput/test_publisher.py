"""What the generator says of itself: a stall that made many messages late shows, few devices are sent too."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import mqtt5
import pytest

from bench.throughput import open_loop, publisher
from bench.throughput.fleet import BenchFleet, Traffic
from bench.throughput.traffic import make_stream
from nabd import clock

CONNACK = mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.SUCCESS).write()
STALL_S = 0.15


class Broker(asyncio.Protocol):
    """Acknowledges whatever it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        view, taken, answers = memoryview(self.waiting), 0, []
        try:
            while taken < len(view):
                packet, length = mqtt5.read(view[taken:])
                taken += length
                if isinstance(packet, mqtt5.ConnectPacket):
                    answers.append(CONNACK)
                elif isinstance(packet, mqtt5.PublishPacket):
                    assert packet.packet_id is not None
                    answers.append(mqtt5.PubAckPacket(packet.packet_id).write())
        except IndexError:
            pass
        self.waiting = self.waiting[taken:]
        self.transport.write(b"".join(answers))


async def published(
    directory: Path, devices: int, seconds: float, stall_s: float = 0.0
) -> publisher.PublishResult:
    """Publish a thousand messages a second at their instants; the generator stands still once meanwhile."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Broker, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    begin = clock.wall() + 300_000
    stream = make_stream(
        BenchFleet(traffic=Traffic.PLAIN, size=devices),
        seed=1,
        at=open_loop.schedule(1_000, seconds, begin),
    )
    publisher.write_plan(directory / "plan", stream, host=host, port=port, open_loop=True)
    loop.call_later((begin - clock.wall()) / 1e6 + seconds / 2, time.sleep, stall_s)
    async with server:
        return await publisher.publish(directory / "plan")


async def test_a_stall_that_makes_a_tenth_of_the_messages_late_is_told(tmp_path: Path) -> None:
    result = await published(tmp_path, devices=1, seconds=1.5, stall_s=STALL_S)

    assert result.acknowledged == result.published == 1_500
    assert result.late_ms >= STALL_S * 900


@pytest.mark.parametrize("devices", [1, 3])
async def test_fewer_devices_than_connections_are_sent_at_their_instants(
    tmp_path: Path, devices: int
) -> None:
    result = await published(tmp_path, devices, seconds=0.1)

    assert (result.acknowledged, result.refused) == (100, 0)
