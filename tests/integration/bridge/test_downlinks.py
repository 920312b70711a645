"""Commands become downlinks of the device's network server, once, and what it says of them is their state.

The network servers here are mosquitto with what ChirpStack and The Things Stack publish and subscribe to.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiomqtt
import pytest

from devices import profiles
from devices.commands.answered import SentCommand, get_command, list_commands
from devices.commands.downlinks import (
    CONFIRMED,
    NOT_KNOWN,
    SENT,
    SENT_UNCONFIRMED,
    UNCONFIRMED_EVER,
    UNCONFIRMED_ONCE,
    UNHEARD,
)
from devices.commands.new_command import new_command
from devices.commands.queue import UNCONFIRMED, enqueue
from devices.registry.errors import Conflict
from devices.registry.registry import get_device
from devices.sources.downlinks import EXPIRES_AFTER_S, prepared
from devices.sources.registration import edit_source
from devices.sources.source import Way
from devices.sources.translation import ALL
from store.audit import PLATFORM
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import EUI, Bridged, bridging, register, say
from tests.integration.bridge.test_bridge import chirpstack, heard, level
from tests.integration.bridge.test_kills import Killed
from tests.integration.ingest.conftest import KINDS, Town
from tests.parts import need_mosquitto
from tests.waiting import eventually, now

PROFILE = "milesight-em310-udl"
CHIRPSTACK = f"application/7b1c/device/{EUI.lower()}"
THINGS = "v3/bins@tripoli/devices/bin-1"


@dataclass
class NetworkServer:
    """What a network server was handed, and what it says."""

    broker: Mosquitto
    client: aiomqtt.Client
    topic: str
    pushed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def hear(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.pushed.append((str(message.topic), json.loads(message.payload)))

    async def has(self, count: int) -> None:
        async def enough() -> bool:
            return len(self.pushed) >= count

        await eventually(enough)

    async def event(self, name: str, **said: Any) -> None:
        """Say something of a device, as ChirpStack does."""
        event = {"time": datetime.now(UTC).isoformat(), "deviceInfo": {"devEui": EUI.lower()}, **said}
        await say(self.broker, (f"{CHIRPSTACK}/event/{name}", event))

    async def message(self, name: str, **said: Any) -> None:
        """Say something of a device, as The Things Stack does."""
        ids = {"device_id": "bin-1", "dev_eui": EUI}
        at = datetime.now(UTC).isoformat()
        await say(self.broker, (f"{THINGS}/{name}", {"end_device_ids": ids, "received_at": at, **said}))


@asynccontextmanager
async def serving(broker: Mosquitto, topic: str) -> AsyncIterator[NetworkServer]:
    """A network server that takes what is published at a topic."""
    protocol = aiomqtt.ProtocolVersion.V5
    async with aiomqtt.Client(broker.host, broker.port, identifier="server", protocol=protocol) as client:
        await client.subscribe(topic, qos=1)
        server = NetworkServer(broker=broker, client=client, topic=topic)
        hearing = asyncio.create_task(server.hear())
        try:
            yield server
        finally:
            hearing.cancel()
            await asyncio.wait([hearing])


async def tell(
    town: Town, name: str, after_s: float | None = None, device: str = EUI, **args: Any
) -> SentCommand:
    """Give a command to a device, as people do."""
    told = await get_device(town.connection, device)
    new = new_command(
        told,
        KINDS["bin"],
        name,
        args,
        id=uuid4(),
        now=now,
        expires_after_s=300 if after_s is None else after_s,
    )
    known = profiles.load(KINDS)
    new = await prepared(town.connection, new, known, now, patient=after_s is None)
    await enqueue(town.connection, [new], now, by=PLATFORM)
    return await get_command(town.connection, new.id)


async def stands(town: Town, command: SentCommand, status: str, detail: str | None) -> SentCommand:
    """Wait until a command stands so."""

    async def so() -> SentCommand | None:
        found = await get_command(town.connection, command.id)
        return found if (found.status, found.detail) == (status, detail) else None

    try:
        found: SentCommand = await eventually(so, within=15)
    except AssertionError:
        present = await get_command(town.connection, command.id)
        raise AssertionError(f"{present.status}: {present.detail}") from None
    return found


async def add(bridged: Bridged, foreign: Mosquitto, format: str, **more: Any) -> None:  # noqa: A002
    """Add a source with device EUI."""
    await bridged.add("lora", foreign, format, profile=PROFILE, **more)
    await register(bridged.town, EUI, "lora")
    await heard(bridged, "lora")


def chirpstack_up() -> tuple[str, object]:
    """Return an uplink of ChirpStack, with its topic."""
    return f"{CHIRPSTACK}/event/up", chirpstack(1, level(2116), datetime.now(UTC))


async def learned(town: Town, say_it: Callable[[], Awaitable[None]]) -> None:
    """Let a device be heard until the bridge, which reads the registry now and then, knows where."""

    async def known() -> bool:
        await say_it()
        return bool(await town.connection.fetchval("SELECT count(*) FROM downlink_topic"))

    await eventually(known)


def uplink() -> dict[str, Any]:
    """Return an uplink of The Things Stack."""
    return {"f_port": 85, "f_cnt": 1, "frm_payload": base64.b64encode(level(2116)).decode()}


async def test_a_command_to_a_device_of_chirpstack_is_handed_over_and_followed_to_its_end(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged, serving(foreign, "application/+/device/+/command/+") as server:
        await add(bridged, foreign, "chirpstack")
        given = await tell(town, "set_interval", interval_s=1200)
        waits = given.expires_at - given.created_at
        assert abs(waits - timedelta(seconds=EXPIRES_AFTER_S)) < timedelta(seconds=1)
        await stands(town, given, "queued", UNHEARD)
        assert server.pushed == []

        await learned(town, partial(say, foreign, chirpstack_up()))
        await stands(town, given, "delivered", None)
        await server.has(1)
        (topic, said), *more = server.pushed
        assert more == []
        assert topic == f"{CHIRPSTACK}/command/down"
        assert datetime.fromisoformat(said.pop("expiresAt")) == given.expires_at
        assert said == {
            "id": str(given.id),
            "devEui": EUI.lower(),
            "confirmed": True,
            "fPort": 85,
            "data": base64.b64encode(bytes.fromhex("ff03b004")).decode(),
        }
        await server.event("txack", queueItemId=str(given.id))
        await stands(town, given, "delivered", SENT)
        await server.event("ack", queueItemId=str(given.id), acknowledged=True)
        await stands(town, given, "succeeded", CONFIRMED)
        # Nothing follows: neither what is heard late, nor what speaks of others' downlinks.
        await server.event("ack", queueItemId=str(given.id), acknowledged=False)
        await server.event("ack", queueItemId=str(uuid4()), acknowledged=False)

        ignored = await tell(town, "set_interval", interval_s=600)
        await server.has(2)
        await server.event("ack", queueItemId=str(ignored.id), acknowledged=False)
        await stands(town, ignored, "failed", UNCONFIRMED_EVER)
        reboot = await tell(town, "reboot")
        await server.has(3)
        assert (server.pushed[2][1]["confirmed"], server.pushed[2][1]["data"]) == (False, "/xD/")
        await server.event("txack", queueItemId=str(reboot.id))
        await stands(town, reboot, "succeeded", SENT_UNCONFIRMED)
        too_long = await tell(town, "set_interval", interval_s=60)
        await server.has(4)
        context = {"queue_item_id": str(too_long.id)}
        await server.event(
            "log", level="ERROR", code="DOWNLINK_PAYLOAD_SIZE", description="11 > 4", context=context
        )
        await stands(town, too_long, "failed", "ERROR DOWNLINK_PAYLOAD_SIZE: 11 > 4")

        found = await list_commands(town.connection)
        assert [one.status for one in reversed(found)] == ["succeeded", "failed", "succeeded", "failed"]


async def test_a_command_to_a_device_of_the_things_stack_is_pushed_and_followed_to_its_end(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged, serving(foreign, "v3/+/devices/+/down/push") as server:
        await add(bridged, foreign, "things_stack", protocol="3.1.1")
        await learned(town, partial(server.message, "join", join_accept={"session_key_id": "AXA="}))
        given = await tell(town, "set_interval", interval_s=1200)
        await server.has(1)

        ((topic, said),) = server.pushed
        assert topic == f"{THINGS}/down/push"
        names = [f"nabd:command:{given.id}"]
        downlink = {
            "f_port": 85,
            "frm_payload": base64.b64encode(bytes.fromhex("ff03b004")).decode(),
            "confirmed": True,
            "priority": "NORMAL",
            "correlation_ids": names,
        }
        assert said == {"downlinks": [downlink]}
        about = {**downlink, "correlation_ids": [*names, "as:downlink:01H"]}
        await server.message("down/queued", downlink_queued=about)
        await stands(town, given, "delivered", None)
        await server.message("down/sent", downlink_sent=about)
        await stands(town, given, "delivered", SENT)
        await server.message("down/nack", downlink_nack=about)
        await stands(town, given, "delivered", UNCONFIRMED_ONCE)
        await server.message("down/ack", downlink_ack=about)
        await stands(town, given, "succeeded", CONFIRMED)

        failed = await tell(town, "reboot")
        await server.has(2)
        about = {"correlation_ids": [f"nabd:command:{failed.id}"]}
        error = {"message_format": "no gateway is near"}
        await server.message("down/failed", downlink_failed={"downlink": about, "error": error})
        await stands(town, failed, "failed", "no gateway is near")


@pytest.mark.parametrize(("killed_after", "pushed"), [("taken", 1), ("handed over", 2)])
async def test_a_bridge_that_ends_between_marking_and_remembering_hands_the_same_downlink_over_again(
    town: Town, foreign: Mosquitto, killed_after: str, pushed: int
) -> None:
    """ChirpStack refuses an id that waits already: what comes again is no second downlink."""
    await town.start()
    kills = [killed_after]

    def step(name: str) -> None:
        if name in kills:
            kills.remove(name)
            raise Killed

    async with (
        bridging(town, step) as bridged,
        serving(foreign, "application/+/device/+/command/+") as server,
    ):
        await add(bridged, foreign, "chirpstack")
        await learned(town, partial(say, foreign, chirpstack_up()))
        given = await tell(town, "reboot")
        await stands(town, given, "sent", None)
        await eventually(lambda: _ended(kills))
        # What is not known to have arrived is due again after a while; here at once.
        await town.connection.execute("UPDATE command SET due_at = due_at - $1::interval", UNCONFIRMED)
        await stands(town, given, "delivered", None)

        await server.has(pushed)
        assert [said["id"] for _, said in server.pushed] == [str(given.id)] * pushed


async def _ended(kills: list[str]) -> bool:
    return not kills


async def test_a_bridge_that_ends_after_pushing_to_the_things_stack_never_pushes_again(
    town: Town, foreign: Mosquitto
) -> None:
    """It takes whatever is pushed as another downlink: what it then says of it tells that it has it."""
    await town.start()
    ends = ["handed over"]

    def step(name: str) -> None:
        if ends and name == ends[0]:
            ends.pop()
            raise Killed

    async with bridging(town, step) as bridged, serving(foreign, "v3/+/devices/+/down/push") as server:
        await add(bridged, foreign, "things_stack")
        await learned(town, partial(server.message, "up", uplink_message=uplink()))
        given = await tell(town, "reboot")
        await server.has(1)
        await stands(town, given, "sent", NOT_KNOWN)
        other = await tell(town, "reboot")  # others go on
        await stands(town, other, "delivered", None)

        await server.message("down/queued", downlink_queued={"correlation_ids": [f"nabd:command:{given.id}"]})
        await stands(town, given, "delivered", None)
        assert len(server.pushed) == 2


async def test_what_nobody_takes_waits_says_why_and_is_not_handed_over_after_its_time(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged:
        await add(bridged, foreign, "chirpstack")
        await learned(town, partial(say, foreign, chirpstack_up()))
        late = await tell(town, "reboot", after_s=1)
        given = await tell(town, "reboot")
        why = "nobody hears it at the broker of source lora: does its network server run?"
        await stands(town, given, "queued", why)

        async def over() -> bool:
            return now() > (late.expires_at.timestamp() + 0.5) * 1_000_000

        await eventually(over)
        async with serving(foreign, "application/+/device/+/command/+") as server:
            # It has joined: what waits is handed over at once.
            await server.event("join")
            await stands(town, given, "delivered", None)
            await server.has(1)
            assert [said["id"] for _, said in server.pushed] == [str(given.id)]


async def test_another_source_neither_gets_a_device_s_commands_nor_says_what_became_of_them(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged, serving(foreign, "application/+/device/+/command/+") as server:
        await add(bridged, foreign, "chirpstack")
        topics = ["other/application/+/device/+/event/+"]
        await bridged.add("other", foreign, "chirpstack", profile=PROFILE, topics=topics)
        await heard(bridged, "other")
        await learned(town, partial(say, foreign, chirpstack_up()))
        given = await tell(town, "set_interval", interval_s=600)
        await stands(town, given, "delivered", None)

        event = {"deviceInfo": {"devEui": EUI.lower()}, "queueItemId": str(given.id), "acknowledged": False}
        await say(foreign, (f"other/{CHIRPSTACK}/event/ack", event))

        async def counted() -> bool:
            return bool((await bridged.state("other")).messages == 1)

        await eventually(counted)
        await stands(town, given, "delivered", None)
        assert await town.connection.fetchval("SELECT topic FROM downlink_topic") == CHIRPSTACK
        assert len(server.pushed) == 1


async def test_a_command_that_cannot_be_said_is_refused_when_it_is_asked_for(
    town: Town, foreign: Mosquitto
) -> None:
    async with bridging(town) as bridged:
        await bridged.add("lora", foreign, "chirpstack")
        await register(town, EUI, "lora")

        async def edit(**changes: Any) -> None:
            await edit_source(town.connection, KINDS, "lora", changes, ALL, now, by=PLATFORM)

        with pytest.raises(Conflict, match="no profile says how device"):
            await tell(town, "reboot")
        await edit(profile=PROFILE)
        with pytest.raises(
            Conflict, match=r"does not say how calibrate .*reboot, set_interval.*downlinks.calibrate"
        ):
            await tell(town, "calibrate")
        with pytest.raises(Conflict, match="interval_s: 86400 does not fit into u16"):
            await tell(town, "set_interval", interval_s=86_400)
        with pytest.raises(Conflict, match=r"60\.5 there, which is not whole"):
            await tell(town, "set_interval", interval_s=60.5)
        await edit(enabled=False)
        with pytest.raises(Conflict, match="source 'lora' is disabled"):
            await tell(town, "reboot")
        await edit(enabled=True, url="", topics=["foreign/tripoli/#"])
        with pytest.raises(Conflict, match="heard at our own broker"):
            await tell(town, "reboot")
        await edit(way=Way.WEBHOOK, topics=[])
        with pytest.raises(Conflict, match="posts to us"):
            await tell(town, "reboot")
        await edit(format="senml_json")
        with pytest.raises(Conflict, match="speaks through gateways alone"):
            await tell(town, "reboot")
        assert await list_commands(town.connection) == []


async def test_a_broker_that_does_not_let_us_tell_devices_anything_is_said(
    town: Town, tmp_path: Path
) -> None:
    need_mosquitto()
    (tmp_path / "acl").write_text("topic read #\ntopic write application/+/device/+/event/+\n")
    (tmp_path / "strict").mkdir()
    await town.start()
    with Mosquitto(tmp_path / "strict", settings=f"acl_file {tmp_path / 'acl'}") as strict:
        async with bridging(town) as bridged:
            await add(bridged, strict, "chirpstack")
            await learned(town, partial(say, strict, chirpstack_up()))
            given = await tell(town, "reboot")

            why = "the broker of source lora refuses it (code 0x87): its account may not publish it"
            await stands(town, given, "queued", why)
