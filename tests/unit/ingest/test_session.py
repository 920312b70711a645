"""The session fed with bytes, without a broker."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import mqtt5
import pytest

from devices.registry.registry import Municipality
from ingest.broker.bound import MOST_ELEMENTS
from ingest.broker.hearing import Hearing, hearing_of
from ingest.broker.received import BUFFER_LIMIT
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
    connection, wire = Connection(broker, Hearing(), lambda: 0), Wire()
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


def packets_of(written: bytes) -> list[mqtt5.Packet]:
    """Return what was written, packet by packet."""
    packets, offset = [], 0
    while offset < len(written):
        packet, length = mqtt5.read(memoryview(written)[offset:])
        packets.append(packet)
        offset += length
    return packets


async def test_session_has_emptied_once_the_broker_answers_after_all_that_it_held() -> None:
    connection, wire = connected(told_s=None, own_s=5)
    reading = mqtt5.PublishPacket("t", b"{}", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1).write()
    pong = mqtt5.PingRespPacket().write()

    # Nothing has come, and nothing is known: the link may be slow.
    assert not connection.has_emptied()
    assert wire.written == mqtt5.PingReqPacket().write()
    assert not connection.has_emptied()
    assert wire.written == mqtt5.PingReqPacket().write()
    connection.data_received(reading * connection.broker.receive_maximum + pong)
    assert not connection.has_emptied()
    connection.data_received(reading + pong)
    assert connection.has_emptied()

    connection.hear(Hearing(hears=("tripoli",), drops=("+",)))
    connection.data_received(pong)
    assert not connection.has_emptied()


async def test_session_hears_anew_only_what_it_does_not_hear_and_drops_after_all_answers() -> None:
    granted = mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE
    connection, wire = connected(told_s=None, own_s=5)
    towns = tuple(f"town-{number}" for number in range(150))

    connection.hear(Hearing(hears=towns, drops=("+",)))
    subscriptions = packets_of(wire.written)
    assert [type(packet) for packet in subscriptions] == [mqtt5.SubscribePacket] * 2
    for packet in subscriptions:
        assert connection.dropping
        wire.written = b""
        assert isinstance(packet, mqtt5.SubscribePacket)
        answer = mqtt5.SubAckPacket(packet.packet_id, [granted] * len(packet.topic_filters))
        connection.data_received(answer.write())
    [drop] = packets_of(wire.written)
    assert isinstance(drop, mqtt5.UnsubscribePacket)
    done = mqtt5.UnsubAckPacket(drop.packet_id, [mqtt5.UnsubAckReasonCode.SUCCESS] * len(drop.patterns))
    connection.data_received(done.write())
    assert not connection.dropping

    wire.written = b""
    connection.hear(Hearing(hears=("saida", *towns[1:]), drops=("+", towns[0])))
    [fresh] = packets_of(wire.written)
    assert isinstance(fresh, mqtt5.SubscribePacket)
    assert {filter_.pattern.split("/")[2] for filter_ in fresh.topic_filters} == {"saida"}
    # An answer to what was asked before is none to this.
    connection.data_received(done.write())
    assert connection.dropping


def test_shards_never_hear_the_same_even_before_the_first_municipality() -> None:
    assert hearing_of("main", []) == Hearing(hears=("+",))
    assert hearing_of("north", []) == Hearing(hears=(), drops=("+",))
    town = cast(Municipality, SimpleNamespace(name="saida", shard="north"))
    assert hearing_of("north", [town]).hears == ("+",)
    assert hearing_of("main", [town]) == Hearing(hears=(), drops=("+", "saida"))


async def test_session_with_much_waiting_is_taken_up_before_its_subscription_is_answered() -> None:
    """The broker answers after everything that waits, and more waits than is read ahead."""
    broker = IngestBroker(host="none", port=0, client_id="c")
    connection, wire = Connection(broker, Hearing(), lambda: 0), Wire()
    connection._transport = cast(asyncio.Transport, wire)
    connection.data_received(mqtt5.ConnAckPacket(session_present=True).write())
    large = mqtt5.PublishPacket("t", bytes(60_000), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1).write()

    while wire.reading or not connection._paused:
        connection.data_received(large * 20)
    assert connection.ready.done()
    assert connection.ready.result() is True

    while (intake := connection.take(100, 0)) is not None:
        connection.acknowledge(intake.packet_ids)
    assert connection.waiting.size < BUFFER_LIMIT
    granted = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * 3
    connection.data_received(mqtt5.SubAckPacket(1, granted).write())
    assert not connection.lost.done()


async def test_resumed_session_whose_subscription_is_refused_is_given_up() -> None:
    broker = IngestBroker(host="none", port=0, client_id="c")
    connection, wire = Connection(broker, Hearing(), lambda: 0), Wire()
    connection._transport = cast(asyncio.Transport, wire)
    connection.data_received(mqtt5.ConnAckPacket(session_present=True).write())

    connection.data_received(mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.NOT_AUTHORIZED] * 3).write())

    assert "refuses our subscriptions" in connection.lost.result()
    assert wire.closed


async def test_session_reads_no_further_ahead_for_long_topics_than_for_long_payloads() -> None:
    connection, _ = connected(told_s=None, own_s=5)
    topic = f"nabd/v1/{'x' * 60_000}/bin/BIN-1/telemetry"
    empty = mqtt5.PublishPacket(topic, b"", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1).write()

    for _ in range(BUFFER_LIMIT // len(empty) // 10 + 1):
        connection.data_received(empty * 10)

    assert connection._paused
    connection.take(100_000, 0)
    assert not connection._paused
    assert connection.waiting.size == 0


@pytest.mark.parametrize("element", [b"{}", b"1", b'{"ts":1}', b"[]"])
async def test_intake_holds_a_bounded_number_of_elements_however_small_they_are(element: bytes) -> None:
    connection, _ = connected(told_s=None, own_s=5)
    small = mqtt5.PublishPacket("t", b'{"a":1,"b":2,"c":3}').write()
    many = mqtt5.PublishPacket("t", b" [" + b",".join([element] * 1000) + b"]").write()
    connection.data_received(small * 1000 + many * 500 + small * 1000)

    sizes = []
    while (intake := connection.take(20_000, 0)) is not None:
        sizes.append((len(intake), sum(1 if p[:1] == b"{" else 1000 for p in intake.payloads)))

    assert sum(messages for messages, _ in sizes) == 2500
    assert all(elements <= MOST_ELEMENTS for _, elements in sizes)
    assert len(sizes) == 3


async def test_intake_of_objects_is_as_large_as_is_asked_for() -> None:
    connection, _ = connected(told_s=None, own_s=5)
    connection.data_received(mqtt5.PublishPacket("t", b'{"a":[1,2,3],"b":{"c":{}}}').write() * 30_000)

    intake = connection.take(20_000, 0)

    assert intake is not None
    assert len(intake) == 20_000
