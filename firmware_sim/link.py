"""One device's MQTT 5 connection: connect, last will, presence, reconnect, and the reason of each PUBACK.

Knows nothing of readings. aiomqtt keeps the connection; publishing goes to paho beneath it, because
aiomqtt waits for a PUBACK but does not tell its reason code.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiomqtt
import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 120.0
_TIMEOUT_S = 10.0
_NOT_CONNECTED = 4
"""MQTT_ERR_NO_CONN."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorBroker:
    """Where to connect, and with what; times are divided by `speed`.

    Without an account each device signs in under its own name, with its own of `passwords` where it has one.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    passwords: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    speed: float = 1.0
    keepalive_s: int = 30


class LinkOwner(Protocol):
    """Whoever publishes through a link."""

    def link_up(self) -> None:
        """The connection is there."""

    def link_down(self) -> None:
        """The connection is gone, and with it every message that was not answered."""

    def answered(self, mid: int, code: int) -> None:
        """The broker answered a publish with a reason code; 0 is success."""

    def heard(self, topic: str, payload: bytes) -> None:
        """A message came in."""


class Link:
    """Keeps one client connected until cancelled."""

    def __init__(
        self,
        name: str,
        *,
        broker: SimulatorBroker,
        presence: str,
        subscriptions: Sequence[str],
        owner: LinkOwner,
        rng: np.random.Generator,
    ) -> None:
        self._name = name
        self._broker = broker
        self._presence = presence
        self._subscriptions = subscriptions
        self._owner = owner
        self._rng = rng
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._paho: mqtt.Client | None = None
        self.refused = ""
        """Why the last try to connect failed; empty once one succeeded."""

    @property
    def up(self) -> bool:
        """Whether messages can be published now."""
        return self._paho is not None

    async def run(self) -> None:
        """Connect, serve, reconnect with exponential back-off and full jitter; until cancelled."""
        attempt = 0
        while True:
            await self._allowed.wait()
            try:
                await self._serve()
            except aiomqtt.MqttError as error:
                was_up = self._gone()
                attempt = 0 if was_up else attempt + 1
                self.refused = "" if was_up else str(error)
                logger.debug("%s: link down: %s", self._name, error)
            finally:
                self._gone()
            await asyncio.sleep(self._backoff_s(attempt))

    async def _serve(self) -> None:
        client = self._client()
        try:
            async with client:
                await self._speak(client)
        finally:
            # One that connects after we gave up would take the place of the next; and one lost before anyone
            # waits for messages leaves an exception that asyncio would complain of.
            _shut(client._client)
            lost = client._disconnected
            if lost.done() and not lost.cancelled():
                lost.exception()

    async def _speak(self, client: aiomqtt.Client) -> None:
        paho = client._client
        paho.on_publish = self._on_publish
        if self._subscriptions:
            await client.subscribe([(topic, 1) for topic in self._subscriptions])
        paho.publish(self._presence, b"online", 1, True)
        self._paho = paho
        self._owner.link_up()
        async for message in client.messages:
            if isinstance(message.payload, bytes):
                self._owner.heard(str(message.topic), message.payload)

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            identifier=self._name,
            username=self._broker.username or self._name,
            password=self._broker.passwords.get(self._name, self._broker.password),
            tls_context=self._broker.tls,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            will=aiomqtt.Will(self._presence, b"offline", qos=1, retain=True),
            keepalive=self._broker.keepalive_s,
            timeout=_TIMEOUT_S,
        )

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Send at QoS 1 and return the packet id, or None when the link is down."""
        if self._paho is None:
            return None
        sent = self._paho.publish(topic, payload, 1)
        return sent.mid if sent.rc != _NOT_CONNECTED else None

    def cut(self) -> None:
        """Lose the link without a goodbye, so that the broker speaks the last will."""
        self._allowed.clear()
        self.drop()

    def restore(self) -> None:
        """Let the link come back."""
        self._allowed.set()

    def drop(self) -> None:
        """Break the connection; it may be set up again at once."""
        if self._paho is not None:
            _shut(self._paho)

    def say_offline(self) -> None:
        """Publish the end of presence before a proper disconnect."""
        if self._paho is not None:
            self._paho.publish(self._presence, b"offline", 1, True)

    def _gone(self) -> bool:
        was_up, self._paho = self._paho is not None, None
        if was_up:
            self._owner.link_down()
        return was_up

    def _backoff_s(self, attempt: int) -> float:
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(attempt, 10))
        return float(self._rng.uniform(0.0, longest)) / self._broker.speed

    def _on_publish(
        self, client: mqtt.Client, userdata: Any, mid: int, code: ReasonCode, properties: Properties
    ) -> None:
        self._owner.answered(mid, code.value)


def _shut(paho: mqtt.Client) -> None:
    sock: Any = paho.socket()
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
