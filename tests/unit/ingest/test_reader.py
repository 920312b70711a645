"""Packets that compiled code reads are those that the codec reads, however they are cut; and bounds are kept.

NABD_FUZZ_PAYLOADS says how many packets (`make fuzz`), NABD_FUZZ_SEED which ones.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from random import Random
from typing import Any, cast

import mqtt5
import numba
import numpy as np
import pytest
from numba import njit

from devices.compiled.part import Function
from devices.wire import Kernel
from devices.wire.compiled import frames
from ingest.broker import reader, session
from ingest.broker import topics as numbered
from ingest.broker.hearing import Hearing
from ingest.broker.intake import Intake
from ingest.broker.reader import KernelReader
from ingest.broker.session import Connection, IngestBroker
from ingest.broker.topics import TopicTable
from tests.compiled import compiled

PACKETS = int(os.environ.get("NABD_FUZZ_PAYLOADS", "50000"))
SEED = int(os.environ.get("NABD_FUZZ_SEED", "0")) or Random().randrange(1, 2**32)
STREAM = 500
TOPICS = [f"nabd/v1/town-{n % 3}/bin/BIN-{n:04d}/telemetry" for n in range(40)]
ODD = ["é/حاوية", "a b", "x" * 191, "x" * 192, "x" * 193, "x" * 5_000, "$SYS/x", "/", "a", "a/b c/\x7f"]
PAYLOADS = [
    b"", b"{}", b'{"ts":1790000000000,"fill_pct":40.5}', b"[1,2,3]", b"\0\0", b"{" * 300, b"," * 300,
    b"\xff\xfe",
    b"x" * 127, b"x" * 128, b"x" * 20_000,
]  # fmt: skip


@pytest.fixture(scope="module")
def checked() -> Function:
    """The kernel compiled so that every index is checked: one outside raises."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "BOUNDSCHECK", 1)
        frame: Function = njit(error_model="numpy", boundscheck=True)(frames.frame)
        KernelReader().read(frame, b"", 0, TopicTable(), 0)
    return frame


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let compiled code read however little comes."""
    monkeypatch.setattr(session, "MANY", 0)
    monkeypatch.setattr(session, "REST_S", 0)


def packet(random: Random, hostile: bool) -> bytes:
    """Return a packet that a broker may send us, or bytes that none does."""
    draw = random.random()
    if draw < 0.01:
        return mqtt5.PingRespPacket().write()
    if draw < 0.02 and hostile:
        return random.choice([b"\x32\x00", b"\x32\x80", b"\x32\xff\xff\xff\xff\x01", b"\x36\x05\0\x01a\0\0"])
    if draw < 0.03 and hostile:
        return random.randbytes(random.randrange(1, 30))
    topic = random.choice(ODD if random.random() < 0.05 else TOPICS)
    sure = random.random() < 0.95
    written = mqtt5.PublishPacket(
        topic,
        random.choice(PAYLOADS),
        qos=mqtt5.QoS.AT_LEAST_ONCE if sure else mqtt5.QoS.AT_MOST_ONCE,
        retain=random.random() < 0.1,
        duplicate=sure and random.random() < 0.1,
        packet_id=random.choice([1, 255, 256, 65_535]) if sure else None,
        content_type="application/json" if random.random() < 0.03 else None,
    ).write()
    if hostile and random.random() < 0.01:
        at = random.randrange(len(written))
        written = written[:at] + random.randbytes(1) + written[at + 1 :]
    return written


def chunks(data: bytes, random: Random) -> Iterator[bytes]:
    """Cut bytes as a socket may."""
    while data:
        size = random.choice([1, 7, 100, 5_000, 100_000])
        yield data[:size]
        data = data[size:]


class Deaf:
    """A transport that nothing is written to."""

    def write(self, data: bytes) -> None: ...
    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def close(self) -> None: ...


def opened(kernel: Kernel | None) -> Connection:
    connection = Connection(IngestBroker(host="none", port=0, client_id="c"), Hearing(), lambda: 7, kernel)
    connection._transport = cast(asyncio.Transport, Deaf())
    connection.ready.add_done_callback(lambda ready: ready.exception())
    return connection


def heard(connection: Connection, parts: list[bytes]) -> tuple[list[Any], object]:
    """Return all messages that come out, and why the connection ended, if it did."""
    for part in parts:
        if not connection.lost.done():
            connection.data_received(part)
    found: list[Any] = []
    while (intake := connection.take(97, 0)) is not None:
        found += zip(intake.topics, intake.payloads, strict=True)
        found.append(intake.packet_ids)
    assert (len(connection.waiting), connection.waiting.size) == (0, 0)
    found.append(connection._pongs)
    return found, connection.lost.result() if connection.lost.done() else None


def test_bounds_are_checked(checked: Function) -> None:
    def without_room(*arrays: Any) -> None:
        checked(*arrays[:7], arrays[7][:, :0], *arrays[8:])

    with pytest.raises(IndexError):
        KernelReader().read(without_room, mqtt5.PublishPacket("a", b"{}").write(), 0, TopicTable(), 0)


# The codec, where it panics, also leaves an error behind that nobody can catch.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(7200)
async def test_the_same_packets_are_read(checked: Function, at_once: None, record_property: Any) -> None:
    random, read, turn = Random(SEED), 0, 0
    while read < PACKETS:
        packets = [packet(random, hostile=turn % 4 == 0) for _ in range(STREAM)]
        parts = list(chunks(b"".join(packets), random))
        compiled_says = heard(opened(Kernel(frame=checked)), parts)
        assert compiled_says == heard(opened(None), parts), f"NABD_FUZZ_SEED={SEED}"
        read += sum(type(one) is tuple for one in compiled_says[0])
        turn += 1
        await asyncio.sleep(0)  # sessions that rest are kept by the loop
    print(f"NABD_FUZZ_SEED={SEED}: {read:,} messages, no difference")
    record_property("messages", read)


async def test_what_devices_send_is_read_by_compiled_code_alone(
    at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"".join(
        mqtt5.PublishPacket(topic, b'{"fill_pct":4}', qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=9).write()
        for topic in TOPICS * 300
    )
    connection = opened(compiled())

    def never(_: object) -> None:
        raise AssertionError("left to the codec")

    monkeypatch.setattr(mqtt5, "read", never)
    connection.data_received(data)

    intake = connection.take(100_000, 0)
    assert intake is not None
    assert list(intake.topics) == TOPICS * 300
    assert set(intake.payloads) == {b'{"fill_pct":4}'}


async def test_a_table_of_topics_that_is_full_is_followed_by_another(
    at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbered, "MOST", 25)
    connection = opened(compiled())
    sent: list[str] = []

    intakes: list[Intake] = []
    for turn in range(8):
        topics = [f"nabd/v1/town/bin/B-{turn}-{n}/telemetry" for n in range(10)]
        connection.data_received(b"".join(mqtt5.PublishPacket(topic, b"{}").write() for topic in topics))
        sent += topics
    while (intake := connection.take(1_000, 0)) is not None:
        intakes.append(intake)

    assert len(intakes) > 1
    assert [topic for intake in intakes for topic in intake.topics] == sent


async def test_topics_that_collide_are_told_apart_and_numbered_once_there_is_no_place_for_them(
    at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "HASH", np.array([0, 0], dtype=np.uint64))
    connection = opened(compiled())
    sent = [f"topic-{n}" for n in (*range(20), *range(20))]

    for topic in sent:
        connection.data_received(mqtt5.PublishPacket(topic, b"{}").write())

    intake = connection.take(100, 0)
    assert intake is not None
    assert list(intake.topics) == sent
    assert np.count_nonzero(connection.waiting.table.places >= 0) == 8
    assert len(connection.waiting.table.names) == 20
