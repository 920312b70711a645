"""Devices that speak MQTT 3.1.1, all that NATS understands; what is not acknowledged is said again."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from contextlib import suppress

from tests.faults.publisher import Said

WINDOW = 50
AGAIN_S = 0.1
_CONNECTED, _ANSWER = 0x20, 0x40


class OldSpeaker:
    """One connection at QoS 1 that is opened again for as long as `run` runs; readings keep their order."""

    def __init__(self, port: int, name: str) -> None:
        self._port = port
        self._name = name
        self._queue: deque[Said] = deque()
        self._in_flight: deque[tuple[int, Said]] = deque()
        self._next_id = 0
        self._more = asyncio.Event()

    def say(self, said: Said) -> None:
        """Publish one reading as soon as it is its turn."""
        self._queue.append(said)
        self._more.set()

    @property
    def idle(self) -> bool:
        """Whether everything was acknowledged."""
        return not (self._queue or self._in_flight)

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            with suppress(OSError, EOFError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    await self._talk(reader, writer)
                finally:
                    writer.close()
                    self._queue.extendleft(said for _, said in reversed(self._in_flight))
                    self._in_flight.clear()
            await asyncio.sleep(AGAIN_S)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = self._name.encode()
        head = b"\x00\x04MQTT\x04\x02\x00\x3c"  # level 4, clean session, keep-alive of a minute
        writer.write(_packet(0x10, head + struct.pack(">H", len(name)) + name))
        kind, _ = await _read(reader)
        assert kind == _CONNECTED
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._listen(reader))
            speaking = group.create_task(self._speak(writer))
            await listening
            speaking.cancel()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, EOFError):
            while True:
                kind, body = await _read(reader)
                if kind == _ANSWER:
                    number, said = self._in_flight.popleft()
                    assert struct.unpack(">H", body[:2])[0] == number
                    said.codes.append(0)
                    self._more.set()

    async def _speak(self, writer: asyncio.StreamWriter) -> None:
        while True:
            while self._queue and len(self._in_flight) < WINDOW:
                said = self._queue.popleft()
                said.tries += 1
                self._next_id = self._next_id % 65_535 + 1
                self._in_flight.append((self._next_id, said))
                topic = said.topic.encode()
                head = struct.pack(">H", len(topic)) + topic + struct.pack(">H", self._next_id)
                writer.write(_packet(0x32, head + said.payload))
            self._more.clear()
            await self._more.wait()


def _packet(kind: int, body: bytes) -> bytes:
    """Return a packet; its length in groups of seven bits, the lowest first."""
    left, length = len(body), bytearray()
    while True:
        left, low = divmod(left, 128)
        length.append(low | (128 if left else 0))
        if not left:
            return bytes([kind]) + bytes(length) + body


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return kind and body of the next packet; those that we are sent are short."""
    kind, length = await reader.readexactly(2)
    assert length < 128
    return kind & 0xF0, await reader.readexactly(length)
