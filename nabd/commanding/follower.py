"""The one follower that hands commands and configurations to the broker; of several processes one does so.

What it hands over is marked before and confirmed after, so that a kill, an outage of the broker or of the
database loses nothing: it is sent once more, and devices know an id that comes twice. Whether a command is
still wanted the database says, and how long the broker keeps it the message itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiomqtt
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.commands import answered, configured, queue
from devices.commands.configured import DueConfig
from devices.commands.queue import DueCommand
from devices.instants import Now, to_microseconds
from nabd.broker.address import BrokerAddress
from nabd.broker.client import client
from store import holder
from store.connection import Connection
from store.failures import is_outage

log = structlog.get_logger(__name__)

HOLDER = "commands"
AT_ONCE = 200
LOOK_S = 2.0
"""How often we look without being woken."""
MOVED_EVERY_S = 30.0
ANSWER_S = 10.0
PAUSE_S, FAILED_S = 1.0, 30.0
_NO_SUBSCRIBERS = 0x10
_FAILURE = 0x80
_UNKNOWN = -1


@dataclass(slots=True, kw_only=True)
class Confirmations:
    """What the broker says of what it was handed: the reason code of each packet."""

    waiting: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    early: dict[int, int] = field(default_factory=dict)

    def heard(self, _: mqtt.Client, __: Any, packet: int, code: ReasonCode, ___: Properties) -> None:
        """Take the answer to one packet; it may come before anyone asks for it."""
        if (future := self.waiting.pop(packet, None)) is None:
            self.early[packet] = int(code.value)
        elif not future.done():
            future.set_result(int(code.value))

    async def of(self, packet: int) -> int:
        """Return the reason code of a packet, _UNKNOWN where none came in time."""
        if packet in self.early:
            return self.early.pop(packet)
        future = self.waiting[packet] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_S):
                code: int = await future
                return code
        except TimeoutError:
            self.waiting.pop(packet, None)
            return _UNKNOWN


async def follow(
    open_database: Callable[[], Awaitable[Connection]], broker: BrokerAddress, now: Now, speed: float
) -> None:
    """Send what is due until cancelled; an outage of either side is told once when it begins.

    Args:
        speed: how many times faster than real time `now` runs; brokers count in real time.
    """
    told = ""
    while True:
        try:
            connection = await open_database()
            try:
                await holder.wait(connection, HOLDER)
                async with client(broker, timeout_s=ANSWER_S) as connected:
                    log.info("commands are sent", broker=str(broker))
                    told = ""
                    await _serve(connection, connected, now, speed)
            finally:
                connection.terminate()
        except Exception as error:  # the edge of a task: if it ended, the console would go on without it
            reason = str(error) or type(error).__name__
            expected = is_outage(error) or isinstance(error, aiomqtt.MqttError)
            if not expected:
                log.exception("commands cannot be sent, trying again", reason=reason)
            elif not told:
                log.warning("commands wait", reason=reason)
            told = reason
            await asyncio.sleep(PAUSE_S if expected else FAILED_S)


async def _serve(connection: Connection, connected: aiomqtt.Client, now: Now, speed: float) -> None:
    woken = asyncio.Event()
    confirmations = Confirmations()
    connected._client.on_publish = confirmations.heard  # aiomqtt waits for an answer and does not tell it
    await connection.add_listener("nabd_command", lambda *_: woken.set())
    loop = asyncio.get_running_loop()
    moved_at = -MOVED_EVERY_S
    while True:
        woken.clear()
        if connected._disconnected.done():
            raise aiomqtt.MqttError("connection to the broker lost")
        await answered.expire(connection, now)
        if look_for_moved := loop.time() - moved_at >= MOVED_EVERY_S:
            moved_at = loop.time()
        configs = await configured.due_configs(connection, AT_ONCE, moved=look_for_moved)
        await _send_configs(connection, connected, confirmations, configs, now)
        commands = await queue.take_due(connection, now, AT_ONCE)
        await _send_commands(connection, connected, confirmations, commands, now, speed)
        if len(commands) < AT_ONCE and len(configs) < AT_ONCE:
            try:
                async with asyncio.timeout(LOOK_S):
                    await woken.wait()
            except TimeoutError:
                continue


async def _send_commands(
    connection: Connection,
    connected: aiomqtt.Client,
    confirmations: Confirmations,
    commands: Sequence[DueCommand],
    now: Now,
    speed: float,
) -> None:
    sent: dict[UUID, int] = {}
    for one in commands:
        left_s = int((to_microseconds(one.expires_at) - now()) / 1_000_000 / speed)
        if left_s < 1:
            continue  # a broker counts whole seconds: it would keep it for longer
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = left_s
        packet = connected._client.publish(one.topic, one.payload, 1, False, properties)
        sent[one.id] = packet.mid
    codes = await asyncio.gather(*(confirmations.of(packet) for packet in sent.values()))
    answers = dict(zip(sent, codes, strict=True))
    delivered = [one for one, code in answers.items() if _is_taken(code)]
    unheard = [one for one, code in answers.items() if code != _UNKNOWN and not _is_taken(code)]
    if delivered:
        await queue.mark_delivered(connection, delivered, now)
    if unheard:
        await queue.put_back(connection, unheard, now)


async def _send_configs(
    connection: Connection,
    connected: aiomqtt.Client,
    confirmations: Confirmations,
    configs: Sequence[DueConfig],
    now: Now,
) -> None:
    for one in configs:
        if one.stale not in (None, one.topic):
            connected._client.publish(one.stale, b"", 1, True)
        packet = connected._client.publish(one.topic, one.payload, 1, True)
        code = await confirmations.of(packet.mid)
        # That nobody listens now is no matter: the broker keeps it.
        if code == _NO_SUBSCRIBERS or 0 <= code < _FAILURE:
            await configured.mark_published(connection, one, now)


def _is_taken(code: int) -> bool:
    return 0 <= code < _FAILURE and code != _NO_SUBSCRIBERS
