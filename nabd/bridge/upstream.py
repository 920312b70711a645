"""A session at the broker of a source: messages in, and acknowledged only when whoever took them says so.

The session outlives connections and processes: what is not acknowledged is sent again. Must not know what
messages say.

Whose address it is others say: it is resolved once, judged, and connected to as it was judged.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiomqtt
import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from devices.relay.reconnecting import heeding_cancellation
from devices.sources.source import Source
from devices.wire.adapters.formats.bounded import MAX_MESSAGE
from devices.wire.reasons import FAILURE
from nabd.broker.address import BrokerAddress, parse
from notify.channels.public_address import ListedTargets, Resolve, judged_address, resolve
from notify.message import Undelivered

SESSION_S = 7 * 86_400
"""How long a broker of MQTT 5 keeps what we have not heard; one of 3.1.1 as long as it likes."""
AT_ONCE = 500
"""Messages that a broker of MQTT 5 hands over without acknowledgement; one of 3.1.1 has its own limit."""
MOST_QUEUED = 20_000
"""Messages of QoS 0 may come faster than we take them: beyond so many the connection is given up."""
MOST_BYTES = 32 * 1_048_576
"""The same of their bytes: a source may have so much of our memory."""
LARGEST_PACKET = MAX_MESSAGE + 65_535 + 1_024
"""What a broker of MQTT 5 is told to leave out: a message that no format reads, with its topic."""
TIMEOUT_S = 10.0
KEEP_ALIVE_S = 30
NOWHERE_PRIVATE = ListedTargets()


class SubscriptionRefused(Exception):
    """The broker does not let us hear a topic; the text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamMessage:
    """One message; repeated: the broker may have sent it before, or keeps it as the last of its topic.

    too_large: its size, where it is more than any format reads; then it has no payload. Else 0.
    """

    topic: str
    payload: bytes
    repeated: bool
    packet: int
    qos: int
    too_large: int = 0


class _Inbox:
    """What has come and nobody has taken yet. full: why no more is taken in, once there is too much."""

    def __init__(self) -> None:
        self.full = ""
        self._messages: deque[UpstreamMessage] = deque()
        self._bytes = 0
        self._come = asyncio.Event()

    def put(self, client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        """Take a message in, or give up the connection: what is not acknowledged comes again."""
        if self.full:
            return
        one = _message(message)
        self._bytes += len(one.payload)
        if len(self._messages) >= MOST_QUEUED or self._bytes > MOST_BYTES:
            self.full = (
                f"messages come faster than they are taken: {len(self._messages):,} wait with"
                f" {self._bytes:,} bytes (at most {MOST_QUEUED:,} with {MOST_BYTES:,})"
            )
            client.disconnect()
        else:
            self._messages.append(one)
            self._come.set()

    async def get(self) -> UpstreamMessage:
        """Return the next message."""
        while not self._messages:
            self._come.clear()
            await self._come.wait()
        one = self._messages.popleft()
        self._bytes -= len(one.payload)
        return one


class Upstream:
    """An open connection."""

    def __init__(self, client: aiomqtt.Client, inbox: _Inbox) -> None:
        self._client = client
        self._inbox = inbox
        self._one_at_a_time = asyncio.Lock()
        self._code = 0
        self._hear_codes()

    async def messages(self) -> AsyncIterator[UpstreamMessage]:
        """Yield messages until the connection is lost.

        Raises:
            aiomqtt.MqttError: it is.
        """
        lost = self._client._disconnected
        while True:
            getting = asyncio.ensure_future(self._inbox.get())
            await asyncio.wait((getting, lost), return_when=asyncio.FIRST_COMPLETED)
            if self._inbox.full or not getting.done():
                getting.cancel()
                if self._inbox.full:
                    raise aiomqtt.MqttError(self._inbox.full)
                lost.result()
                raise aiomqtt.MqttError("the broker closed the connection")
            yield getting.result()

    def acknowledge(self, message: UpstreamMessage) -> None:
        """Tell the broker that it may forget a message; messages are acknowledged in their order."""
        if message.qos:
            self._client._client.ack(message.packet, message.qos)

    async def publish(self, topic: str, payload: bytes) -> int:
        """Publish at QoS 1; return the broker's reason code, of MQTT 3.1.1 always 0.

        Raises:
            aiomqtt.MqttError: the connection is lost.
        """
        async with self._one_at_a_time:
            self._code = 0
            await self._client.publish(topic, payload, qos=1)
            return self._code

    def _hear_codes(self) -> None:
        """Keep the reason code of each PUBACK: aiomqtt waits for one and does not tell it."""
        told = self._client._client.on_publish
        assert told is not None

        def heard(paho: Any, userdata: Any, mid: int, code: Any, properties: Properties) -> None:
            self._code = _value(code)
            told(paho, userdata, mid, code, properties)  # type: ignore[call-arg]

        self._client._client.on_publish = heard


@asynccontextmanager
async def connected(
    source: Source,
    secret: str,
    ours: BrokerAddress,
    *,
    targets: ListedTargets = NOWHERE_PRIVATE,
    resolve: Resolve = resolve,
    lasting: bool = True,
) -> AsyncIterator[Upstream]:
    """Connect to a source's broker, and subscribe.

    Args:
        ours: our own broker, and our account there: for sources that name no other.
        targets: what an administrator lets sources name beside public addresses.
        resolve: asks for the addresses of a name.
        lasting: in the session that the broker keeps; else in one beside it, which takes nothing from it.

    Raises:
        aiomqtt.MqttError, OSError, ssl.SSLError: it is away, does not let us in, or may not be named.
        SubscriptionRefused: it does not let us hear a topic.
    """
    address = ours if not source.url else parse(source.url)
    judged = await _judged(address, source, secret, targets, resolve) if source.url else address.host
    inbox = _Inbox()
    newest = source.protocol == "5"
    client = aiomqtt.Client(
        address.host,
        address.port,
        username=address.username if not source.url else source.username or None,
        password=address.password if not source.url else secret or None,
        tls_context=_tls(address, source.authority),
        protocol=aiomqtt.ProtocolVersion.V5 if newest else aiomqtt.ProtocolVersion.V311,
        clean_start=not lasting if newest else mqtt.MQTT_CLEAN_START_FIRST_ONLY,
        clean_session=None if newest else not lasting,
        properties=_properties(lasting=lasting) if newest else None,
        identifier=client_id(source) if lasting else None,
        keepalive=KEEP_ALIVE_S,
        timeout=TIMEOUT_S,
    )
    paho = client._client
    paho.manual_ack_set(True)
    # Not aiomqtt's own: its messages do not say whether they are repeated, and beyond its limit are dropped.
    paho.on_message = inbox.put
    # The certificate is checked for the name, the connection made to the address.
    dial = partial(socket.create_connection, (judged, address.port), timeout=TIMEOUT_S)
    paho._create_socket_connection = dial  # type: ignore[method-assign]
    async with client:
        for topic in source.topics:
            # Of MQTT 5, what the broker keeps of topics is told once, not at each connection.
            once = SubscribeOptions(qos=1, retainHandling=1) if newest else None
            with heeding_cancellation():
                codes = await client.subscribe(topic, qos=0 if newest else 1, options=once)
            refused = [code for code in codes if _value(code) >= FAILURE]
            if refused:
                raise SubscriptionRefused(f"the broker refuses the subscription to {topic}: {refused[0]}")
        yield Upstream(client, inbox)


def client_id(source: Source) -> str:
    """Return the name of our session: it stays the same while the source does, and no other has it."""
    made = f"{source.id} {source.created_at.isoformat()}".encode()
    return f"nabd-{source.name[:12]}-{hashlib.sha256(made).hexdigest()[:5]}"


def _tls(address: BrokerAddress, authority: str) -> ssl.SSLContext | None:
    if address.secure and authority:
        return ssl.create_default_context(cadata=authority)
    return address.tls


def _properties(*, lasting: bool) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_S if lasting else 0
    properties.ReceiveMaximum = AT_ONCE
    properties.MaximumPacketSize = LARGEST_PACKET
    return properties


async def _judged(
    address: BrokerAddress, source: Source, secret: str, targets: ListedTargets, resolve: Resolve
) -> str:
    """Return the network address of a source's broker.

    Raises:
        OSError: it has none, or it may not be connected to, or not with a password in the clear.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            judged = await judged_address(address.host, address.port, targets=targets, resolve=resolve)
    except TimeoutError:
        raise OSError(f"{address.host} was not resolved within {TIMEOUT_S:g} s") from None
    except Undelivered as error:
        raise OSError(
            f"{error}: NABD_SOURCE_TARGETS lists what sources may name" if error.permanent else str(error)
        ) from None
    if (secret or source.username) and not address.secure and not targets.lists(address.host, judged):
        raise OSError(
            f"the account at {address.host} would be told in the clear: use mqtts://, or list it in"
            " NABD_SOURCE_TARGETS where the network between is yours"
        )
    return judged


def _message(one: mqtt.MQTTMessage) -> UpstreamMessage:
    too_large = len(one.payload) if len(one.payload) > MAX_MESSAGE else 0
    return UpstreamMessage(
        topic=one.topic,
        payload=b"" if too_large else bytes(one.payload),
        repeated=bool(one.dup or one.retain),
        packet=one.mid,
        qos=one.qos,
        too_large=too_large,
    )


def _value(code: Any) -> int:
    return int(getattr(code, "value", code))
