"""A session at the broker of a source: messages in, and acknowledged only when whoever took them says so.

The session outlives connections and processes: what is not acknowledged is sent again. Must not know what
messages say.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiomqtt
import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from devices.sources.source import Source
from nabd.broker.address import BrokerAddress, parse

SESSION_S = 7 * 86_400
"""How long a broker of MQTT 5 keeps what we have not heard; one of 3.1.1 as long as it likes."""
AT_ONCE = 500
"""Messages that a broker of MQTT 5 hands over without acknowledgement; one of 3.1.1 has its own limit."""
MOST_QUEUED = 20_000
"""Messages of QoS 0 may come faster than we take them: beyond so many the connection is given up."""
TIMEOUT_S = 10.0
KEEP_ALIVE_S = 30
_FAILURE = 0x80


class SubscriptionRefused(Exception):
    """The broker does not let us hear a topic; the text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamMessage:
    """One message; repeated: the broker may have sent it before, or keeps it as the last of its topic."""

    topic: str
    payload: bytes
    repeated: bool
    packet: int
    qos: int


class Upstream:
    """An open connection."""

    def __init__(self, client: aiomqtt.Client, queue: asyncio.Queue[mqtt.MQTTMessage]) -> None:
        self._client = client
        self._queue = queue

    async def messages(self) -> AsyncIterator[UpstreamMessage]:
        """Yield messages until the connection is lost.

        Raises:
            aiomqtt.MqttError: it is.
        """
        lost = self._client._disconnected
        while True:
            getting = asyncio.ensure_future(self._queue.get())
            await asyncio.wait((getting, lost), return_when=asyncio.FIRST_COMPLETED)
            if not getting.done():
                getting.cancel()
                lost.result()
                raise aiomqtt.MqttError("the broker closed the connection")
            one = getting.result()
            yield UpstreamMessage(
                topic=one.topic,
                payload=bytes(one.payload),
                repeated=bool(one.dup or one.retain),
                packet=one.mid,
                qos=one.qos,
            )

    def acknowledge(self, message: UpstreamMessage) -> None:
        """Tell the broker that it may forget a message; messages are acknowledged in their order."""
        if message.qos:
            self._client._client.ack(message.packet, message.qos)

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1.

        Raises:
            aiomqtt.MqttError: the connection is lost.
        """
        await self._client.publish(topic, payload, qos=1)


@asynccontextmanager
async def connected(
    source: Source, secret: str, ours: BrokerAddress, *, lasting: bool = True
) -> AsyncIterator[Upstream]:
    """Connect to a source's broker, and subscribe.

    Args:
        ours: our own broker, and our account there: for sources that name no other.
        lasting: in the session that the broker keeps; else in one beside it, which takes nothing from it.

    Raises:
        aiomqtt.MqttError, OSError, ssl.SSLError: it is away, or does not let us in.
        SubscriptionRefused: it does not let us hear a topic.
    """
    address = ours if not source.url else parse(source.url)
    queue: asyncio.Queue[mqtt.MQTTMessage] = asyncio.Queue(MOST_QUEUED)
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
    paho.on_message = _into(queue)
    async with client:
        for topic in source.topics:
            # Of MQTT 5, what the broker keeps of topics is told once, not at each connection.
            once = SubscribeOptions(qos=1, retainHandling=1) if newest else None
            codes = await client.subscribe(topic, qos=0 if newest else 1, options=once)
            refused = [code for code in codes if _value(code) >= _FAILURE]
            if refused:
                raise SubscriptionRefused(f"the broker refuses the subscription to {topic}: {refused[0]}")
        yield Upstream(client, queue)


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
    return properties


def _into(queue: asyncio.Queue[mqtt.MQTTMessage]) -> Any:
    def heard(client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        try:
            queue.put_nowait(message)
        except asyncio.QueueFull:
            client.disconnect()

    return heard


def _value(code: Any) -> int:
    return int(getattr(code, "value", code))
