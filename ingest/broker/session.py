"""One persistent MQTT 5 session: many packets from each chunk of bytes; the caller says when to acknowledge.

Sans-I/O codec `mqtt5` on an asyncio Protocol. Must not know what messages mean or when they are stored.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import mqtt5
import numpy as np

from devices.compiled.part import Function
from devices.wire import Kernel
from devices.wire.topics import Channel, every
from ingest.broker.hearing import Hearing
from ingest.broker.intake import Intake
from ingest.broker.reader import KernelReader
from ingest.broker.received import BUFFER_LIMIT, HEARD, MessageQueue, ReceivedMessages

REST_S, LITTLE = 0.005, 32 * 1024
"""After fewer bytes than this, reading pauses: brokers write message by message, and reading each one alone
costs more than parsing it."""
MANY = 16 * 1024
"""Bytes from which on compiled code reads packets sooner than the codec does."""
TURNS = 32
"""So often compiled code goes on behind a packet that it leaves to the codec, in what is read at once."""
MOST_FILTERS = 400
"""In one packet, so that none is too large for a broker."""
SESSION_EXPIRY_S = 7 * 24 * 3600
_RETAINED = dict.fromkeys(HEARD, mqtt5.RetainHandling.SEND_NEVER) | {
    Channel.PRESENCE: mqtt5.RetainHandling.SEND_ALWAYS
}
"""Whether the last message of each topic of a channel comes with a subscription."""
_ACK = np.dtype([("type", "u1"), ("length", "u1"), ("packet_id", ">u2")])


class BrokerRefused(Exception):
    """The broker refuses the connection or the subscription; the text carries its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestBroker:
    """The address of the broker, our account and our client id."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    keep_alive_s: int = 30
    receive_maximum: int = 65_535

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Connection(asyncio.Protocol):
    """One TCP connection of the session; packet ids are valid on it alone."""

    def __init__(
        self, broker: IngestBroker, hearing: Hearing, now: Callable[[], int], kernel: Kernel | None = None
    ) -> None:
        """kernel: where compiled code is found once there is some; None: never."""
        self.broker = broker
        self._kernel = kernel or Kernel()
        self._reader = KernelReader()
        self.hearing = hearing
        self.dropping = False
        """Whether what we are not to hear is being dropped; never before we are known to own the shard."""
        self.waiting = MessageQueue()
        self.arrived = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[bool] = loop.create_future()
        self.lost: asyncio.Future[str] = loop.create_future()
        self.taken_over = False
        """Whether the session was lost to another client with our id. Mosquitto tells since 2.0.15."""
        self._now = now
        self._tail = b""
        self._paused = self._resting = False
        self._heard_at = loop.time()
        self._transport: asyncio.Transport | None = None
        self._session_present = False
        self._keep_alive_s = broker.keep_alive_s
        self._subscribed_to: tuple[str, ...] = ()
        self._last_request = 0
        self._unanswered: set[int] = set()
        self._received = self._pings = self._pongs = 0
        self._asked: tuple[int, int] | None = None
        """Which ping asked whether the broker holds more, and how much had come before it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send CONNECT."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = own = cast(asyncio.Transport, transport)
        password = self.broker.password
        connect = mqtt5.ConnectPacket(
            self.broker.client_id,
            username=self.broker.username,
            password=None if password is None else password.encode(),
            clean_start=False,
            keep_alive=self.broker.keep_alive_s,
            session_expiry_interval=SESSION_EXPIRY_S,
            receive_max=self.broker.receive_maximum,
        )
        own.write(connect.write())

    def data_received(self, data: bytes) -> None:
        """Parse every whole packet of a chunk at once: by compiled code, and exactly what that leaves."""
        self._heard_at = asyncio.get_running_loop().time()
        if self._tail:
            data = self._tail + data
        offset, size = 0, len(data)
        frame = self._kernel.frame if size >= MANY else None
        turns = 0 if frame is None else TURNS
        stopped: str | None = None
        while offset < size and stopped is None:
            begin = offset
            if frame is not None and turns:
                begin = offset = self._frame(frame, data, offset)
                turns -= 1
            packets, offset, stopped = _parsed(memoryview(data), offset, 1 if turns else size)
            self._receive(packets, offset - begin)
        self._tail = data[offset:]
        if stopped:
            self._fail(stopped)
        elif size < LITTLE:
            self._rest()

    def _frame(self, frame: Function, data: bytes, begin: int) -> int:
        """Receive the messages from there on that compiled code is certain of; return where they end."""
        end, more = begin, True
        while more:
            messages, end, more = self._reader.read(frame, data, end, self.waiting.table, self._now())
            if len(messages):
                self._received_together(messages)
        return end

    def _rest(self) -> None:
        """Pause reading, so that more bytes arrive before the next read."""
        if self._transport and not (self._paused or self._resting or self._transport.is_closing()):
            self._resting = True
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(REST_S, self._rested)

    def _rested(self) -> None:
        self._resting = False
        self._read_on()

    def _read_on(self) -> None:
        """Resume reading, unless too many messages wait."""
        if self._transport and not (self._paused or self._resting or self._transport.is_closing()):
            self._heard_at = asyncio.get_running_loop().time()
            self._transport.resume_reading()

    def _receive(self, packets: list[mqtt5.Packet], size: int) -> None:
        published = [p for p in packets if type(p) is mqtt5.PublishPacket]
        if published:
            self._received_together(
                self.waiting.together(
                    topics=[p.topic for p in published],
                    payloads=[p.payload for p in published],
                    packet_ids=[p.packet_id or 0 for p in published],
                    received_at=self._now(),
                    size=size,
                )
            )
        if len(published) < len(packets):
            for packet in packets:
                if type(packet) is not mqtt5.PublishPacket:
                    self._receive_control(packet)

    def _received_together(self, messages: ReceivedMessages) -> None:
        self.waiting.append(messages)
        self._received += len(messages)
        self.arrived.set()
        if self.waiting.size > BUFFER_LIMIT and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()
            # What waits comes before the answer to our subscriptions, and is too much to hold until then.
            self._let_in()

    def _receive_control(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.ConnAckPacket() if packet.reason_code == mqtt5.ConnAckReasonCode.SUCCESS:
                self._session_present = packet.session_present
                if packet.server_keep_alive:
                    # The broker may ask for a shorter keep-alive; a longer one would detect its death later.
                    self._keep_alive_s = min(packet.server_keep_alive, self.broker.keep_alive_s)
                self._subscribe()
            case mqtt5.ConnAckPacket():
                self._fail(_refusal(packet.reason_code, packet.reason_str, self.broker))
            case mqtt5.SubAckPacket():
                # A broker may grant QoS 0 only, which loses messages.
                refused = [
                    c.name
                    for c in packet.reason_codes
                    if c != mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE
                ]
                if refused:
                    self._fail(f"broker {self.broker} refuses our subscriptions: {', '.join(refused)}")
                elif self._is_last_answer(packet.packet_id):
                    self._subscribed()
            case mqtt5.UnsubAckPacket():
                # What was not subscribed could not be dropped, and that is how it should be.
                self.dropping = self.dropping and not self._is_last_answer(packet.packet_id)
            case mqtt5.PingRespPacket():
                self._pongs += 1
            case mqtt5.DisconnectPacket():
                self.taken_over = packet.reason_code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
                self._fail(f"broker {self.broker} disconnected us: {packet.reason_code.name}")
            case _:
                pass  # anything else only says that the broker is alive

    @property
    def resumed(self) -> bool:
        """Whether the broker knew the session, once it has let us in."""
        return self._session_present

    def _let_in(self) -> None:
        if not self.ready.done():
            self.ready.set_result(self._session_present)

    def hear(self, hearing: Hearing) -> None:
        """Subscribe to what we are to hear; then drop what we are not, so that nothing falls between."""
        self.hearing, self.dropping, self._asked = hearing, bool(hearing.drops), None
        self._subscribe()

    def _subscribe(self) -> None:
        """Subscribe to what this connection has not: a second time retained presence would come again."""
        wanted = self.hearing.hears
        new = [municipality for municipality in wanted if municipality not in self._subscribed_to]
        self._subscribed_to = wanted
        filters = [
            mqtt5.TopicFilter(
                every(channel, municipality), max_qos=mqtt5.QoS.AT_LEAST_ONCE, retain_handling=handling
            )
            for municipality in new
            for channel, handling in _RETAINED.items()
        ]
        self._unanswered.clear()
        for n in range(0, len(filters), MOST_FILTERS):
            self._write(mqtt5.SubscribePacket(self._request(), filters[n : n + MOST_FILTERS]).write())
        if not new:
            self._subscribed()

    def _subscribed(self) -> None:
        if not self.dropping:
            self._let_in()
            return
        patterns = [every(channel, dropped) for dropped in self.hearing.drops for channel in _RETAINED]
        for n in range(0, len(patterns), MOST_FILTERS):
            self._write(mqtt5.UnsubscribePacket(self._request(), patterns[n : n + MOST_FILTERS]).write())

    def _request(self) -> int:
        """Return the id of a packet whose answer is awaited."""
        self._last_request = self._last_request % 65_535 + 1
        self._unanswered.add(self._last_request)
        return self._last_request

    def _is_last_answer(self, packet_id: int) -> bool:
        """Tell whether an answer is the last one awaited; those to an earlier hearing do not count."""
        if packet_id not in self._unanswered:
            return False
        self._unanswered.remove(packet_id)
        return not self._unanswered

    def has_emptied(self) -> bool:
        """Tell whether the broker held nothing more for us a moment ago; ask while all is acknowledged.

        Silence proves nothing on a slow link. The answer to a ping comes after all that the broker had,
        unless that was more than we let it have unacknowledged.
        """
        if self.dropping:
            return False
        emptied = False
        if self._asked is not None:
            ping, received = self._asked
            if self._pongs < ping:
                return False
            emptied = self._received - received < self.broker.receive_maximum
        self._ping()
        self._asked = self._pings, self._received
        return emptied

    def _ping(self) -> None:
        self._pings += 1
        self._write(mqtt5.PingReqPacket().write())

    def take(self, limit: int, after: int) -> Intake | None:
        """Take up to `limit` messages; their receive times are greater than `after`."""
        intake = self.waiting.take(limit, after, self)
        if not self.waiting:
            self.arrived.clear()
        if self._paused and self.waiting.size < BUFFER_LIMIT // 2:
            self._paused = False
            self._read_on()
        return intake

    def acknowledge(self, packet_ids: list[int]) -> None:
        """Send the PUBACKs of messages of this connection, in one write."""
        acks = np.zeros(len(packet_ids), dtype=_ACK)
        acks["type"], acks["length"], acks["packet_id"] = 0x40, 2, packet_ids
        self._write(acks.tobytes())

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        """Send messages at QoS 0, in one write."""
        self._write(b"".join(mqtt5.PublishPacket(topic, payload).write() for topic, payload in messages))

    def _write(self, data: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)

    async def keep_alive(self) -> None:
        """Send pings, and close the connection when nothing came for one and a half intervals."""
        loop = asyncio.get_running_loop()
        while not self.lost.done():
            await asyncio.sleep(self._keep_alive_s / 2)
            self._ping()
            # While reading is paused nothing can come from the broker: that does not count.
            if not self._paused and loop.time() - self._heard_at > 1.5 * self._keep_alive_s:
                self._fail(f"broker {self.broker} has not answered for {loop.time() - self._heard_at:.0f} s")

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop everything that is not acknowledged: the broker will send it again."""
        self._fail(f"connection to broker {self.broker} lost{f': {exc}' if exc else ''}")

    def _fail(self, why: str) -> None:
        if not self.lost.done():
            self.lost.set_result(why)
        if not self.ready.done():
            self.ready.set_exception(BrokerRefused(why))
        self.arrived.set()
        self.close()

    def close(self) -> None:
        """Disconnect; the broker keeps the session."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(mqtt5.DisconnectPacket().write())
            self._transport.close()

    async def closed(self) -> None:
        """Return at once: the transport sends what was written, whatever becomes of us."""


def _parsed(data: memoryview, begin: int, most: int) -> tuple[list[mqtt5.Packet], int, str | None]:
    """Return packets by the codec, where they end, and why there are not more.

    That is None where there are as many as asked for or no bytes left, empty where the next one has not come
    whole, else what is wrong with it.
    """
    packets: list[mqtt5.Packet] = []
    try:
        while len(packets) < most and begin < len(data):
            packet, length = mqtt5.read(data[begin:])
            packets.append(packet)
            begin += length
    except IndexError:
        return packets, begin, ""
    except BaseException as error:
        # The codec panics at texts that are no UTF-8, and what it raises then is no Exception.
        if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
            raise
        return packets, begin, f"the broker sent what is not MQTT 5: {error}"
    return packets, begin, None


def _refusal(code: mqtt5.ConnAckReasonCode, reason: str | None, broker: IngestBroker) -> str:
    hint = ""
    if code in (mqtt5.ConnAckReasonCode.NOT_AUTHORIZED, mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD):
        hint = "; check user and password in NABD_BROKER"
    return f"broker {broker} refuses us: {code.name}{f' ({reason})' if reason else ''}{hint}"


async def connect(
    broker: IngestBroker,
    hearing: Hearing,
    now: Callable[[], int],
    kernel: Kernel | None = None,
    time_out_s: float = 10.0,
) -> Connection:
    """Open a connection and subscribe.

    Raises:
        OSError, TimeoutError: the broker cannot be reached.
        BrokerRefused: it refuses the connection or the subscription.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(time_out_s):
        _, connection = await loop.create_connection(
            lambda: Connection(broker, hearing, now, kernel), broker.host, broker.port, ssl=broker.tls
        )
        try:
            await connection.ready
        except BaseException:
            connection.close()
            raise
    return connection
