"""The generator, a process of its own so that its CPU is not anybody else's.

`python -m bench.throughput.publisher DIRECTORY` sends packets encoded beforehand over several connections at
QoS 1, as fast as the broker takes them or each at its intended instant, whatever happened to those before
it. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import mqtt5
import msgspec
import numpy as np
import uvloop
from numpy.typing import NDArray

from bench.throughput.traffic import Stream

CONNECTIONS = 4
WINDOW = 2_000
"""Messages a connection may have unacknowledged when it sends as fast as it can."""
SLICE = 200
"""Messages written at once."""
TICK_S = 0.001
REST_S = 0.05
"""Brokers answer message by message; when nothing waits for the answers they are read so often."""
STALLED_S = 60.0
_PACKET_IDS = 65_535


_DIGITS = 16
_POWERS = 10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)


class PublishResult(msgspec.Struct, kw_only=True):
    """What was published. late_ms: no later than that after their intended instants 99 % of the messages were
    written, each taken to be as late as the first of its write.
    """

    published: int
    acknowledged: int
    refused: int
    seconds: float
    cpu_s: float
    late_ms: float = 0.0


class _Plan(msgspec.Struct, kw_only=True):
    """Where the packets are: one file, slices of it by connection."""

    host: str
    port: int
    counts: list[int]
    open_loop: bool
    laps: int
    lap_us: int


def write_plan(
    directory: Path,
    stream: Stream,
    *,
    host: str,
    port: int,
    open_loop: bool,
    laps: int = 1,
    lap_us: int = 0,
) -> None:
    """Encode a stream for the publisher; with `open_loop`, `stream.at` says when each is to be sent.

    A device's messages go over one connection, so that they arrive in order. The stream is sent `laps` times,
    each time `lap_us` microseconds later, with times that are later by as much.
    """
    directory.mkdir(parents=True)
    counts: list[int] = []
    lengths: list[int] = []
    due: list[NDArray[np.int64]] = []
    # When a repeat was observed says nothing about when it is to be sent.
    send_at = np.maximum.accumulate(stream.at)
    with (directory / "packets").open("wb") as packets:
        for connection in range(CONNECTIONS):
            mine = np.flatnonzero(stream.device % CONNECTIONS == connection)
            for i, message in enumerate(mine.tolist()):
                packet = mqtt5.PublishPacket(
                    stream.topics[message],
                    stream.payloads[message],
                    qos=mqtt5.QoS.AT_LEAST_ONCE,
                    packet_id=i % _PACKET_IDS + 1,
                ).write()
                packets.write(packet)
                lengths.append(len(packet))
            counts.append(len(mine))
            due.append(send_at[mine])
    np.save(directory / "ends.npy", np.cumsum(lengths))
    np.save(directory / "due.npy", np.concatenate(due))
    plan = _Plan(host=host, port=port, counts=counts, open_loop=open_loop, laps=laps, lap_us=lap_us)
    (directory / "plan.json").write_bytes(msgspec.json.encode(plan))


@dataclass(slots=True)
class _Share:
    """One connection's part: packet i of a lap is data[ends[i]:ends[i + 1]]; counts are of all laps."""

    data: memoryview
    ends: list[int]
    due: list[int]
    times: _Times | None = None
    laps: int = 1
    lap_us: int = 0
    sent: int = 0
    acknowledged: int = 0
    refused: int = 0

    def __len__(self) -> int:
        return len(self.due) * self.laps

    def due_until(self, now: int) -> int:
        """Return how many packets are due, as far as this lap goes."""
        lap, place = divmod(self.sent, len(self.due))
        late = bisect_right(self.due, now - lap * self.lap_us, place)
        return lap * len(self.due) + late

    def packets(self, stop: int) -> bytearray | memoryview:
        """Return the packets of this lap that are not sent yet, before number `stop`."""
        lap, place = divmod(self.sent, len(self.due))
        data = self.data[self.ends[place] : self.ends[place + stop - self.sent]]
        if self.times is None:
            return data
        # A copy: what the system has not taken yet must not change with the next lap.
        return self.times.later(bytearray(data), self.ends[place], lap * self.lap_us)


class _Times:
    """Where packets say times: microseconds in 16 digits after `"ts":`."""

    def __init__(self, data: memoryview) -> None:
        found = re.finditer(rb'"ts":(\d{16})', data)
        self._at = np.array([one.start(1) for one in found], dtype=np.int64)

    def later(self, data: bytearray, begin: int, by_us: int) -> bytearray:
        """Let the times in a part of the data, which begins at `begin`, be later."""
        if not by_us:
            return data
        first, last = np.searchsorted(self._at, (begin, begin + len(data)))
        digits = (self._at[first:last] - begin)[:, np.newaxis] + np.arange(_DIGITS)
        view = np.frombuffer(data, dtype=np.uint8)
        times = (view[digits] - ord("0")).astype(np.int64) @ _POWERS + by_us
        view[digits] = times[:, np.newaxis] // _POWERS % 10 + ord("0")
        return data


class _Publisher(asyncio.Protocol):
    def __init__(self, share: _Share, number: int) -> None:
        loop = asyncio.get_running_loop()
        self.share = share
        self.connected: asyncio.Future[None] = loop.create_future()
        self.finished: asyncio.Future[None] = loop.create_future()
        self.window = 0
        self.rests = False
        self._resting: asyncio.TimerHandle | None = None
        self._number = number
        self._tail = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        connect = mqtt5.ConnectPacket(f"bench-{self._number}", clean_start=True, keep_alive=0)
        self._transport.write(connect.write())

    def data_received(self, data: bytes) -> None:
        if self.rests:
            self._rest()
        data = self._tail + data
        share = self.share
        taken = 0
        if self.connected.done() and len(data) % 4 == 0 and data[::4] == b"\x40" * (len(data) // 4):
            taken = len(data)
            share.acknowledged += taken // 4
        view = memoryview(data)
        try:
            while taken < len(data):
                packet, length = mqtt5.read(view[taken:])
                taken += length
                self._receive(packet)
        except IndexError:
            pass
        self._tail = data[taken:]
        self.send()
        if share.acknowledged + share.refused == len(share) and not self.finished.done():
            self.finished.set_result(None)

    def _rest(self) -> None:
        assert self._transport is not None
        self._transport.pause_reading()
        self._resting = asyncio.get_running_loop().call_later(REST_S, self._transport.resume_reading)

    def _receive(self, packet: mqtt5.Packet) -> None:
        if isinstance(packet, mqtt5.ConnAckPacket):
            self.connected.set_result(None)
        elif isinstance(packet, mqtt5.PubAckPacket):
            good = packet.reason_code is mqtt5.PubAckReasonCode.SUCCESS
            self.share.acknowledged += good
            self.share.refused += not good

    def send(self) -> None:
        """Send as much as the window allows."""
        share = self.share
        limit = min(len(share), share.acknowledged + share.refused + self.window)
        while limit - share.sent >= min(SLICE, len(share) - share.sent) > 0:
            self.send_until(min(share.sent + SLICE, limit))

    def send_until(self, stop: int) -> None:
        """Send the packets before `stop` that are not sent yet, all of one lap."""
        share = self.share
        assert self._transport is not None
        self._transport.write(share.packets(stop))
        share.sent = stop

    def connection_lost(self, exc: Exception | None) -> None:
        self._read_no_more()
        if not self.finished.done():
            self.finished.set_exception(ConnectionError("the broker closed a generator's connection"))

    def _read_no_more(self) -> None:
        self.rests = False
        if self._resting is not None:
            self._resting.cancel()

    def close(self) -> None:
        assert self._transport is not None
        self._read_no_more()
        self._transport.write(mqtt5.DisconnectPacket().write())
        self._transport.close()


def _shares(directory: Path, plan: _Plan) -> list[_Share]:
    data = memoryview((directory / "packets").read_bytes())
    ends = [0, *np.load(directory / "ends.npy").tolist()]
    due = np.load(directory / "due.npy").tolist()
    times = _Times(data) if plan.laps > 1 else None
    shares, start = [], 0
    for count in plan.counts:
        stop = start + count
        shares.append(
            _Share(
                data=data,
                ends=ends[start : stop + 1],
                due=due[start:stop],
                times=times,
                laps=plan.laps,
                lap_us=plan.lap_us,
            )
        )
        start = stop
    return shares


async def publish(directory: Path) -> PublishResult:
    """Publish a plan until everything is answered."""
    plan = msgspec.json.decode((directory / "plan.json").read_bytes(), type=_Plan)
    loop = asyncio.get_running_loop()
    publishers = []
    for number, share in enumerate(_shares(directory, plan)):
        if len(share):
            _, publisher = await loop.create_connection(
                lambda share=share, number=number: _Publisher(share, number),  # type: ignore[misc]
                plan.host,
                plan.port,
            )
            await asyncio.wait_for(publisher.connected, 10)
            publishers.append(publisher)
    cpu, start = time.process_time(), time.perf_counter()
    late_ms = await _on_time(publishers) if plan.open_loop else _at_once(publishers)
    await asyncio.wait_for(asyncio.gather(*(p.finished for p in publishers)), STALLED_S + 600)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    for publisher in publishers:
        publisher.close()
    return PublishResult(
        published=sum(p.share.sent for p in publishers),
        acknowledged=sum(p.share.acknowledged for p in publishers),
        refused=sum(p.share.refused for p in publishers),
        seconds=seconds,
        cpu_s=cpu,
        late_ms=late_ms,
    )


def _at_once(publishers: list[_Publisher]) -> float:
    for publisher in publishers:
        publisher.window = WINDOW
        publisher.send()
    return 0.0


async def _on_time(publishers: list[_Publisher]) -> float:
    """Send each message at its instant; one that is late does not delay the next."""
    late: Counter[int] = Counter()
    waiting = publishers
    for publisher in publishers:
        publisher.rests = True
    while waiting:
        now = time.time_ns() // 1000
        for publisher in waiting:
            share = publisher.share
            stop = share.due_until(now)
            if stop > share.sent:
                lap, place = divmod(share.sent, len(share.due))
                late[(now - lap * share.lap_us - share.due[place]) // 100] += stop - share.sent
                publisher.send_until(stop)
        waiting = [p for p in waiting if p.share.sent < len(p.share)]
        await asyncio.sleep(TICK_S)
    return _p99(late) / 10


def _p99(messages: Mapping[int, int]) -> int:
    """Return the least value that 99 % of the messages do not exceed, of how many there are of each."""
    values = sorted(messages)
    up_to = np.cumsum([messages[value] for value in values])
    return values[int(np.searchsorted(up_to, 0.99 * up_to[-1]))]


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(uvloop.run(publish(Path(sys.argv[1])))).decode() + "\n")
