"""One gateway's connection to our broker: batches out at QoS 1, receipts in, again whatever has none.

Must not know what the elements say, nor where they come from.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiomqtt
import structlog
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.instants import Now
from devices.relay.outstanding import Numbered, Outcome, Outstanding
from devices.relay.reconnecting import FIRST_PAUSE_S, LONGEST_PAUSE_S, heeding_cancellation, stay_connected
from devices.wire.channels import NotUnderstood, receipt_of
from devices.wire.reasons import NO_SUBSCRIBERS, is_taken
from devices.wire.topics import Channel, Topic

CAPACITY = 2_000
"""Elements on their way at once; who sends more waits."""
LOOK_S = 1.0
"""How often we look for what has no receipt in time."""

OUTAGES = (aiomqtt.MqttError, OSError, ssl.SSLError, TimeoutError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayState:
    """Whether readings get through: `reason` says why not, empty where they do."""

    connected: bool
    reason: str = ""


class Relay:
    """Relays for one registered gateway while `run` runs; each is one start, with numbers of its own."""

    def __init__(
        self,
        gateway: Topic,
        connect: Callable[[], aiomqtt.Client],
        now: Now,
        *,
        boot: int | None = None,
        quiet: bool = False,
    ) -> None:
        """Make it.

        Args:
            gateway: the topic on which it publishes telemetry.
            connect: makes a connection to our broker, not opened, that speaks MQTT 5.
            now: our clock, microseconds: dates elements without `ts`.
            boot: a number that no start had before; by default a random one.
            quiet: whether nothing is logged, as where a person waits who is told `state`.
        """
        self._topic = gateway.on(Channel.TELEMETRY)
        self._connect = connect
        self._now = now
        boot = random.SystemRandom().getrandbits(53) if boot is None else boot
        self._outstanding = Outstanding(boot=boot)
        self._answers: dict[int, asyncio.Future[Outcome]] = {}
        self._room = asyncio.Semaphore(CAPACITY)
        self._woken = asyncio.Event()
        self._code = 0
        self._quiet = quiet
        self.state = RelayState(connected=False, reason="not connected yet")

    async def send(self, elements: Sequence[Mapping[str, object]]) -> list[Outcome]:
        """Publish elements of wire v1; return what became of each, in their order, once that is committed.

        Waits for as long as broker, ingest or database are away: whoever cannot, sets a time-out. Elements
        of whoever was cancelled are sent no more; what was sent before may be stored.

        Args:
            elements: each with `kind`, `device` and measurements, or with `refused`; `boot` and `seq` are
                ours. Without `ts` this moment stands in, so that sending it again stores it once.
        """
        numbers: list[int] = []
        answers: list[asyncio.Future[Outcome]] = []
        try:
            for element in elements:
                await self._room.acquire()
                number = self._outstanding.add(self._dated(element))
                answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
                self._answers[number] = answer
                numbers.append(number)
                answers.append(answer)
                self._woken.set()
            return [await answer for answer in answers]
        finally:
            unsettled = [number for number in numbers if self._answers.pop(number, None)]
            for _ in range(self._outstanding.forget(unsettled)):
                self._room.release()

    async def run(self) -> None:
        """Keep the connection until cancelled; an outage is logged when it begins and when it ends."""
        await stay_connected(self._connected, OUTAGES, self._lost)

    async def _connected(self) -> None:
        try:
            async with self._connect() as client:
                with heeding_cancellation():
                    await client.subscribe(str(self._topic.on(Channel.RECEIPT)), qos=1)
                self._tell(RelayState(connected=True))
                await self._serve(client)
        finally:
            self._outstanding.put_back(self._outstanding.sent())

    def _lost(self, reason: str) -> None:
        self._tell(RelayState(connected=False, reason=reason))

    def _dated(self, element: Mapping[str, object]) -> Mapping[str, object]:
        if element.get("ts") is None and "refused" not in element:
            return {**element, "ts": self._now()}
        return element

    def _tell(self, state: RelayState) -> None:
        before, self.state = self.state, state
        if self._quiet or bool(state.reason) == bool(before.reason):
            return
        if state.reason:
            log.warning("readings wait", gateway=self._topic.device, reason=state.reason)
        else:
            log.info("readings are relayed", gateway=self._topic.device)

    async def _serve(self, client: aiomqtt.Client) -> None:
        self._hear_codes(client)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear(client))
            tasks.create_task(self._pump(client))

    async def _hear(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if not isinstance(message.payload, bytes | bytearray):
                continue
            with suppress(NotUnderstood):
                for number, outcome in self._outstanding.heard(receipt_of(bytes(message.payload))).items():
                    self._room.release()
                    answer = self._answers.pop(number, None)
                    if answer is not None and not answer.done():
                        answer.set_result(outcome)
                self._tell(RelayState(connected=True))

    async def _pump(self, client: aiomqtt.Client) -> None:
        """Publish what waits, as many to a message as there are by then."""
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE_S
        while True:
            self._woken.clear()
            self._look_for_overdue(clock())
            while batch := self._outstanding.take(clock()):
                code = await self._publish(client, batch)
                if is_taken(code):
                    pause = FIRST_PAUSE_S
                    continue
                self._outstanding.put_back(batch)
                self._tell(RelayState(connected=True, reason=_refusal(str(self._topic), code)))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._woken.wait()

    def _look_for_overdue(self, now: float) -> None:
        overdue = self._outstanding.overdue(now)
        if overdue:
            self._outstanding.put_back(overdue)
            why = f"ingest has sent no receipt for {len(overdue):,} readings; they are sent again"
            self._tell(RelayState(connected=True, reason=why))

    async def _publish(self, client: aiomqtt.Client, batch: Sequence[Numbered]) -> int:
        payload = b"[" + b",".join(one.body for one in batch) + b"]"
        self._code = 0
        await client.publish(str(self._topic), payload, qos=1)
        return self._code

    def _hear_codes(self, client: aiomqtt.Client) -> None:
        """Keep the reason code of each PUBACK: aiomqtt waits for one and does not tell it."""
        told = client._client.on_publish
        assert told is not None

        def heard(paho: Any, userdata: Any, mid: int, code: ReasonCode, properties: Properties) -> None:
            self._code = int(code.value)
            told(paho, userdata, mid, code, properties)  # type: ignore[call-arg]

        client._client.on_publish = heard


def _refusal(topic: str, code: int) -> str:
    if code == NO_SUBSCRIBERS:
        return "the broker says that nobody listens: is ingest running?"
    return f"the broker refuses what is published on {topic} (code {code:#x}): its access list must allow it"
