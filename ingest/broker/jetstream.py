"""A consumer of JetStream in place of an MQTT session: NATS takes what devices publish, ingest pulls it.

NATS speaks MQTT 3.1.1 to devices and stores what it acknowledges in the stream $MQTT_msgs; ingest has a
consumer of that. Every message is acknowledged by itself, once it is committed: with "all up to this one" a
message that another process held would be lost. Must not know what messages mean or when they are stored.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NothingCame
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from devices.wire import Kernel
from devices.wire.topics import EVERYWHERE, every
from ingest.broker.hearing import Hearing
from ingest.broker.intake import Intake
from ingest.broker.received import BUFFER_LIMIT, HEARD, MessageQueue
from ingest.broker.session import BrokerRefused, IngestBroker

STREAM = "$MQTT_msgs"
SUBJECTS = "$MQTT.msgs."
ACK_WAIT_S = 5.0
"""After so long without an answer a message comes again: a process that was killed held it."""
FETCHED, FETCH_S, ROOM_S = 2_000, 0.5, 0.02
ONE_SHARD = "NABD_STREAM serves one shard that owns every municipality: `nabd shard list` shows who owns them"
"""A consumer forgets what waits for it when its filters change, so they never do."""
LEAVE_S = 3.0
"""How long what was said last may take to be sent, before the connection is closed."""


class StreamSession:
    """What `Connection` is for MQTT; a message's number in the stream is its packet id."""

    def __init__(
        self, client: Client, consumer: str, hearing: Hearing, now: Callable[[], int], *, receive_maximum: int
    ) -> None:
        self.hearing = hearing
        self.waiting = MessageQueue()
        self.arrived = asyncio.Event()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.resumed = False
        self.taken_over = False
        """Never: several may pull from one consumer, and each message goes to one of them."""
        self._client = client
        self._consumer = consumer
        self._now = now
        self._receive_maximum = receive_maximum
        self._stream: JetStreamContext = client.jetstream()
        self._replies: dict[int, str] = {}
        self._to_send: deque[tuple[str, bytes]] = deque()
        self._more = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Make the consumer; wait for what a process before us held.

        Raises:
            NatsError, TimeoutError: the server is away, or refuses.
        """
        held = 0
        with suppress(NotFoundError):
            held = (await self._stream.consumer_info(STREAM, self._consumer)).num_ack_pending or 0
            self.resumed = True
        config = ConsumerConfig(
            durable_name=self._consumer,
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            ack_wait=ACK_WAIT_S,
            max_ack_pending=self._receive_maximum,
            filter_subjects=[SUBJECTS + subject_of(every(channel)).replace("+", "*") for channel in HEARD],
        )
        await self._stream.add_consumer(STREAM, config)
        if held:
            # What comes again comes before what is new, so that a device's readings stay in order.
            await asyncio.sleep(ACK_WAIT_S)

    def hear(self, hearing: Hearing) -> None:
        """Go on hearing every municipality; where that is not asked for, end."""
        self.hearing = hearing
        if not _hears_all(hearing):
            self.fail(ONE_SHARD)

    def has_emptied(self) -> bool:
        """Return False: nobody waits for it where there is one shard."""
        return False

    def take(self, limit: int, after: int) -> Intake | None:
        """Take up to `limit` messages; their receive times are greater than `after`."""
        taken = self.waiting.take(limit, after, self)
        if not self.waiting:
            self.arrived.clear()
        return taken

    def acknowledge(self, packet_ids: list[int]) -> None:
        """Tell the server that messages of this connection are committed."""
        replies = [self._replies.pop(number) for number in packet_ids if number in self._replies]
        self._say((reply, b"+ACK") for reply in replies)

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        """Send messages at QoS 0."""
        self._say((subject_of(topic), payload) for topic, payload in messages)

    def _say(self, messages: Iterable[tuple[str, bytes]]) -> None:
        self._to_send.extend(messages)
        self._more.set()

    async def keep_alive(self) -> None:
        """Pull messages and send what is to be sent, until the connection is lost."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pull())
                group.create_task(self._send())
        except* (NatsError, OSError, TimeoutError) as errors:
            self.fail(str(errors.exceptions[0]) or type(errors.exceptions[0]).__name__)

    async def _pull(self) -> None:
        pulled = await self._stream.pull_subscribe_bind(self._consumer, STREAM)
        while not self.lost.done():
            if self.waiting.size > BUFFER_LIMIT:
                await asyncio.sleep(ROOM_S)
                continue
            with suppress(NothingCame):
                self._receive(await pulled.fetch(FETCHED, timeout=FETCH_S))

    def _receive(self, messages: list[Msg]) -> None:
        fresh = []
        for message in messages:
            number = message.metadata.sequence.stream
            if number not in self._replies:  # else it is in hand, and the server has become impatient
                fresh.append((number, message))
            self._replies[number] = message.reply
        if fresh:
            self.waiting.append(
                self.waiting.together(
                    topics=[topic_of(m.subject.removeprefix(SUBJECTS)) for _, m in fresh],
                    payloads=[m.data for _, m in fresh],
                    packet_ids=[number for number, _ in fresh],
                    received_at=self._now(),
                    size=sum(len(m.data) + len(m.subject) for _, m in fresh),
                )
            )
            self.arrived.set()

    async def _send(self) -> None:
        while not self.lost.done():
            await self._more.wait()
            self._more.clear()
            await self._send_all()

    async def _send_all(self) -> None:
        while self._to_send:
            # Interrupted, the first one is sent again, which does no harm.
            await self._client.publish(*self._to_send[0])
            self._to_send.popleft()

    def fail(self, why: str) -> None:
        """Drop everything that is not acknowledged: it comes again."""
        if not self.lost.done():
            self.lost.set_result(f"connection to NATS lost: {why}")
        self.arrived.set()

    def close(self) -> None:
        """Send what was said, then disconnect; the server keeps the consumer."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end())

    async def closed(self) -> None:
        """Wait until `close` has ended."""
        if self._ending is not None:
            await asyncio.shield(self._ending)

    async def _end(self) -> None:
        # What is committed and not acknowledged would come again, as a duplicate.
        with suppress(NatsError, OSError, TimeoutError):
            async with asyncio.timeout(0 if self.lost.done() else LEAVE_S):
                await self._send_all()
                await self._client.flush()
        await self._client.close()


def _hears_all(hearing: Hearing) -> bool:
    return EVERYWHERE in hearing.hears


def subject_of(topic: str) -> str:
    """Return how NATS calls an MQTT topic: levels between dots, a dot of a level doubled into two slashes."""
    return topic.replace(".", "//").replace("/", ".").replace("..", "//")


def topic_of(subject: str) -> str:
    """Return the MQTT topic of a subject."""
    return subject.replace("//", "\0").replace(".", "/").replace("\0", ".")


async def connect(
    broker: IngestBroker,
    hearing: Hearing,
    now: Callable[[], int],
    kernel: Kernel | None = None,
    time_out_s: float = 10.0,
) -> StreamSession:
    """Open a connection and make the consumer.

    Raises:
        OSError, TimeoutError: the server cannot be reached.
        BrokerRefused: it refuses us, nobody has ever connected to it by MQTT, or there are several shards.
    """
    if not _hears_all(hearing):
        raise BrokerRefused(ONE_SHARD)
    session: StreamSession | None = None

    async def lost() -> None:
        if session is not None:
            session.fail("it closed the connection")

    async def told(error: Exception) -> None:
        """End the connection: of a permission that we lack nothing else tells, and its message is lost."""
        if session is not None:
            session.fail(str(error) or type(error).__name__)

    try:
        async with asyncio.timeout(time_out_s + ACK_WAIT_S):
            client = await nats.connect(
                f"{'tls' if broker.tls else 'nats'}://{broker.host}:{broker.port}",
                user=broker.username,
                password=broker.password,
                tls=broker.tls,
                name=broker.client_id,
                allow_reconnect=False,
                connect_timeout=time_out_s,
                closed_cb=lost,
                disconnected_cb=lost,
                error_cb=told,
            )
            session = StreamSession(
                client, broker.client_id, hearing, now, receive_maximum=broker.receive_maximum
            )
            try:
                await session.open()
            except BaseException:
                session.close()
                raise
    except NotFoundError as error:
        why = f"NATS {broker} has no stream {STREAM}: it makes it when a device first connects by MQTT"
        raise BrokerRefused(why) from error
    except NatsError as error:
        # A request that may not be made is told by the connection; the request itself only ends in time.
        why = session.lost.result() if session is not None and session.lost.done() else str(error)
        raise BrokerRefused(f"NATS {broker} refuses us: {why}") from error
    return session
