"""One device that sends as fast as a broker takes it, in a process of its own."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

import mqtt5

from tests.faults.publisher import topic_of

ROWS = 1_000
"""Readings in one message, the most there may be."""
WINDOW = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """What is sent: so many messages of ROWS readings within so many seconds, or as fast as it goes."""

    port: int
    device: str
    messages: int
    seconds: float
    since_ms: int

    def payload(self, number: int) -> bytes:
        """Return one message: every reading of an instant of its own."""
        first = self.since_ms + number * ROWS
        return b"[" + b",".join(b'{"ts":%d,"fill_pct":40}' % (first + i) for i in range(ROWS)) + b"]"


def send(flood: Flood) -> None:
    """Publish at QoS 1 over one connection; return once everything is answered."""
    payloads = [flood.payload(number) for number in range(flood.messages)]
    with socket.create_connection(("127.0.0.1", flood.port), timeout=60) as door:
        door.sendall(mqtt5.ConnectPacket(flood.device, clean_start=True, keep_alive=600).write())
        answers = _Answers(door)
        answers.until(connected=True)
        started = time.monotonic()
        for number, payload in enumerate(payloads):
            time.sleep(max(0.0, started + number * flood.seconds / flood.messages - time.monotonic()))
            answers.until(answered=number - WINDOW)
            packet = mqtt5.PublishPacket(
                topic_of(flood.device), payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number % 65_535 + 1
            )
            door.sendall(packet.write())
        answers.until(answered=flood.messages)


class _Answers:
    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._connected = False
        self._answered = 0
        self._tail = b""

    def until(self, *, connected: bool = False, answered: int = 0) -> None:
        """Read until the broker has let us in, or has answered so many messages."""
        while (connected and not self._connected) or self._answered < answered:
            chunk = self._door.recv(65_536)
            assert chunk, "the broker closed the connection"
            self._take(self._tail + chunk)

    def _take(self, data: bytes) -> None:
        view, offset = memoryview(data), 0
        try:
            while offset < len(data):
                packet, length = mqtt5.read(view[offset:])
                offset += length
                self._connected |= isinstance(packet, mqtt5.ConnAckPacket)
                self._answered += isinstance(packet, mqtt5.PubAckPacket)
        except IndexError:
            pass
        self._tail = data[offset:]
