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
from devices.wire.reasons import NO_SUBSCRIBERS, is_taken
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
_UNKNOWN = -1


@dataclass(slots=True, kw_only=True)
class Confirmations:
    """What the broker says of what it was handed: the reason code of each packet."""

    connected: aiomqtt.Client
    waiting: dict[int, asyncio.Future[int]] = field(default_factory=dict)

    def hand(
        self, topic: str, payload: bytes, *, retain: bool, properties: Properties | None = None
    ) -> asyncio.Future[int]:
        """Hand a message to the broker; the answer comes while others run, never before this returns."""
        packet = self.connected._client.publish(topic, payload, 1, retain, properties)
        answer = self.waiting[packet.mid] = asyncio.get_running_loop().create_future()
        return answer

    def heard(self, _: mqtt.Client, __: Any, packet: int, code: ReasonCode, ___: Properties) -> None:
        """Take the answer to one packet; what nobody waits for any more is let go."""
        answer = self.waiting.pop(packet, None)
        if answer is not None and not answer.done():
            answer.set_result(int(code.value))

    async def codes(self, answers: Sequence[asyncio.Future[int]]) -> list[int]:
        """Return the reason codes; _UNKNOWN where none came in time, or the connection was lost."""
        every = asyncio.gather(*answers)
        lost = self.connected._disconnected
        await asyncio.wait((every, lost), timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        every.cancel()
        self.waiting.clear()  # packets get the same numbers again
        return [one.result() if one.done() and not one.cancelled() else _UNKNOWN for one in answers]


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
    confirmations = Confirmations(connected=connected)
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
        await _send_configs(connection, confirmations, configs, now)
        commands = await queue.take_due(connection, now, AT_ONCE)
        await _send_commands(connection, confirmations, commands, now, speed)
        if len(commands) < AT_ONCE and len(configs) < AT_ONCE:
            try:
                async with asyncio.timeout(LOOK_S):
                    await woken.wait()
            except TimeoutError:
                continue


async def _send_commands(
    connection: Connection,
    confirmations: Confirmations,
    commands: Sequence[DueCommand],
    now: Now,
    speed: float,
) -> None:
    sent: dict[UUID, asyncio.Future[int]] = {}
    for one in commands:
        left_s = int((to_microseconds(one.expires_at) - now()) / 1_000_000 / speed)
        if left_s < 1:
            continue  # a broker counts whole seconds: it would keep it for longer
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = left_s
        sent[one.id] = confirmations.hand(one.topic, one.payload, retain=False, properties=properties)
    if not sent:
        return
    answers = dict(zip(sent, await confirmations.codes([*sent.values()]), strict=True))
    delivered = [one for one, code in answers.items() if is_taken(code)]
    unheard = [one for one, code in answers.items() if code != _UNKNOWN and not is_taken(code)]
    if delivered:
        await queue.mark_delivered(connection, delivered, now)
    if unheard:
        await queue.put_back(connection, unheard, now)


async def _send_configs(
    connection: Connection, confirmations: Confirmations, configs: Sequence[DueConfig], now: Now
) -> None:
    if not configs:
        return
    # All topics that are left come first: one device may take over another's.
    handed = [(one, confirmations.hand(one.left, b"", retain=True)) for one in configs if one.left]
    handed += [
        (one, confirmations.hand(one.topic, one.payload, retain=True)) for one in configs if not one.retired
    ]
    codes = await confirmations.codes([answer for _, answer in handed])
    # That nobody listens now is no matter: the broker keeps it.
    failed = {
        one.device_id
        for (one, _), code in zip(handed, codes, strict=True)
        if code != NO_SUBSCRIBERS and not is_taken(code)
    }
    for one in configs:
        if one.device_id not in failed:
            await configured.mark_published(connection, one, now)
