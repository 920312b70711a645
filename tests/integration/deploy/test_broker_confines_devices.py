"""The deployed broker configuration on a real mosquitto: a device speaks and hears as itself alone.

Passwords made by hand, and no TLS; see test_identity.py for those that Nabd makes.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiomqtt
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.wire.topics import hand_gateway
from nabd.broker import client as broker_client
from nabd.broker.address import BrokerAddress
from nabd.broker.queue import BrokerLimits, ask
from tests.integration.deploy.deployed import ACCOUNTS, DeployedBroker, bears_own_passwords
from tests.parts import need_mosquitto

pytestmark = pytest.mark.attack("a device's password at the broker")

NOT_AUTHORIZED, REFUSED = 0x87, 0x80
PASSWORDS = {"BIN-1": "one", "BIN-2": "two", **ACCOUNTS}
TELEMETRY = "nabd/v1/tripoli/bin/BIN-1/telemetry"
SESSION = "nabd-0123456789ab"
"""The client id of ingest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Ports of the running broker, and whether this mosquitto bears doors with passwords of their own."""

    devices: int
    platform: int
    ingest: int
    own: bool


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    need_mosquitto()
    broker = DeployedBroker(directory=tmp_path_factory.mktemp("broker"))
    broker.data.mkdir()
    passwords = broker.data / "passwords"
    passwords.touch(mode=0o600)
    for account in ("BIN-1", "BIN-2", "~api"):  # the last as from before the doors had their own
        subprocess.run(["mosquitto_passwd", "-b", passwords, account, PASSWORDS[account]], check=True)
    with broker:
        ports = {door: broker.ports[door] for door in ("devices", "platform", "ingest")}
        yield Doors(**ports, own=bears_own_passwords())


def client(port: int, account: str, *, identifier: str | None = None, keep: bool = False) -> aiomqtt.Client:
    """Return a client that speaks as one of the accounts; `keep` makes its session outlive it."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600 if keep else 0
    return aiomqtt.Client(
        "127.0.0.1",
        port,
        username=account,
        password=PASSWORDS[account],
        identifier=identifier or account,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=not keep,
        properties=properties,
    )


@asynccontextmanager
async def listening(port: int, account: str, *filters: str) -> AsyncIterator[aiomqtt.Client]:
    async with client(port, account) as listener:
        for each in filters:
            await listener.subscribe(each, qos=1)
        yield listener


async def first(listener: aiomqtt.Client) -> tuple[str, bytes]:
    """Return topic and payload of the next message; fail when none comes."""
    async with asyncio.timeout(5):
        async for message in listener.messages:
            assert isinstance(message.payload, bytes)
            return str(message.topic), message.payload
    raise AssertionError("the connection ended")


async def publish_reason(port: int, account: str, topic: str) -> int:
    """Publish at QoS 1 and return the reason code of the PUBACK, which aiomqtt does not show."""
    reason: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    publisher = paho.Client(CallbackAPIVersion.VERSION2, client_id=account, protocol=paho.MQTTv5)
    publisher.username_pw_set(account, PASSWORDS[account])

    def connected(*_: Any) -> None:
        publisher.publish(topic, b"{}", qos=1)

    def acknowledged(_client: Any, _user: Any, _packet: int, code: ReasonCode, _properties: Any) -> None:
        reason.get_loop().call_soon_threadsafe(reason.set_result, code.value)

    publisher.on_connect, publisher.on_publish = connected, acknowledged
    publisher.connect("127.0.0.1", port)
    publisher.loop_start()
    try:
        return await asyncio.wait_for(reason, 5)
    finally:
        publisher.disconnect()
        publisher.loop_stop()


async def test_device_reaches_ingest_on_its_own_topic(doors: Doors) -> None:
    async with (
        listening(doors.ingest, "~ingest", "nabd/v1/+/+/+/telemetry") as ingest,
        client(doors.devices, "BIN-1") as device,
    ):
        await device.publish(TELEMETRY, b"{}", qos=1)

        assert await first(ingest) == (TELEMETRY, b"{}")


@pytest.mark.parametrize(
    "topic",
    [
        "nabd/v1/tripoli/bin/BIN-2/telemetry",
        "nabd/v1/tripoli/bin/BIN-1/command",
        "nabd/v1/tripoli/bin/BIN-1/receipt",
        "nabd/v1/tripoli/bin/BIN-1/telemetry/more",
        "nabd/v1/tripoli/BIN-1/telemetry",
        "elsewhere",
    ],
)
async def test_device_is_refused_on_a_topic_that_is_not_its_own(doors: Doors, topic: str) -> None:
    async with listening(doors.ingest, "~ingest", "nabd/v1/+/+/+/telemetry") as ingest:
        assert await publish_reason(doors.devices, "BIN-1", topic) == NOT_AUTHORIZED

        async with client(doors.devices, "BIN-1") as device:
            await device.publish(TELEMETRY, b"after", qos=1)
        assert await first(ingest) == (TELEMETRY, b"after"), "the refused one reached nobody"


async def test_device_on_mqtt_3_is_confined_as_well(doors: Doors) -> None:
    async with (
        listening(doors.ingest, "~ingest", "nabd/v1/+/+/+/telemetry") as ingest,
        aiomqtt.Client(
            "127.0.0.1",
            doors.devices,
            username="BIN-1",
            password=PASSWORDS["BIN-1"],
            protocol=aiomqtt.ProtocolVersion.V311,
        ) as device,
    ):
        await device.publish("nabd/v1/tripoli/bin/BIN-2/telemetry", b"{}", qos=1)
        await device.publish(TELEMETRY, b"after", qos=1)

        assert await first(ingest) == (TELEMETRY, b"after")


async def test_device_hears_its_own_commands_and_nobody_elses(doors: Doors) -> None:
    async with (
        listening(doors.devices, "BIN-1", "nabd/#") as device,
        listening(doors.ingest, "~ingest", "nabd/v1/+/+/+/telemetry") as ingest,
        client(doors.platform, "~api") as api,
        client(doors.devices, "BIN-2") as neighbour,
    ):
        await api.publish("nabd/v1/tripoli/bin/BIN-2/command", b"not yours", qos=1)
        await neighbour.publish("nabd/v1/tripoli/bin/BIN-2/telemetry", b"not yours", qos=1)
        await first(ingest)
        await api.publish("nabd/v1/tripoli/bin/BIN-1/command", b"yours", qos=1)

        assert await first(device) == ("nabd/v1/tripoli/bin/BIN-1/command", b"yours")


async def test_device_hears_its_receipts_from_ingest(doors: Doors) -> None:
    receipt = "nabd/v1/tripoli/bin/BIN-1/receipt"
    async with (
        listening(doors.devices, "BIN-1", receipt) as device,
        client(doors.ingest, "~ingest") as ingest,
    ):
        await ingest.publish(receipt, b"{}", qos=1)

        assert await first(device) == (receipt, b"{}")


async def test_ingest_hears_what_a_device_reports_of_itself(doors: Doors) -> None:
    reported = "nabd/v1/tripoli/bin/BIN-1/reported"
    async with (
        listening(doors.ingest, "~ingest", reported) as ingest,
        client(doors.devices, "BIN-1") as device,
    ):
        await device.publish(reported, b"{}", qos=1)

        assert await first(ingest) == (reported, b"{}")


async def test_api_publishes_commands_and_configurations_only(doors: Doors) -> None:
    assert await publish_reason(doors.platform, "~api", TELEMETRY) == NOT_AUTHORIZED
    for channel in ("command", "config"):
        assert await publish_reason(doors.platform, "~api", f"nabd/v1/tripoli/bin/BIN-1/{channel}") < REFUSED


async def test_simulator_plays_any_device(doors: Doors) -> None:
    async with (
        listening(doors.ingest, "~ingest", "nabd/v1/+/+/+/presence") as ingest,
        client(doors.platform, "~simulator", identifier="BIN-7") as simulator,
    ):
        await simulator.publish("nabd/v1/tripoli/bin/BIN-7/presence", b"online", qos=1)

        assert await first(ingest) == ("nabd/v1/tripoli/bin/BIN-7/presence", b"online")


async def test_device_cannot_take_over_the_session_of_ingest_at_any_door(doors: Doors) -> None:
    """A stolen session would hand the thief every message that waits for ingest."""
    async with client(doors.ingest, "~ingest", identifier=SESSION, keep=True) as ingest:
        await ingest.subscribe("nabd/v1/+/+/+/telemetry", qos=1)
    async with client(doors.devices, "BIN-1") as device:
        await device.publish(TELEMETRY, b"waits", qos=1)

    async with client(doors.devices, "BIN-2", identifier=SESSION, keep=True):
        pass
    for door in (doors.platform, doors.ingest) if doors.own else ():
        with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authori[sz]ed"):
            async with client(door, "BIN-2", identifier=SESSION, keep=True):
                pass

    async with client(doors.ingest, "~ingest", identifier=SESSION, keep=True) as ingest:
        assert await first(ingest) == (TELEMETRY, b"waits")


async def test_bridge_speaks_as_gateways_and_hears_what_foreign_devices_say(doors: Doors) -> None:
    relayed = "nabd/v1/tripoli/gateway/lora/telemetry"
    async with listening(doors.ingest, "~ingest", "nabd/v1/+/+/+/telemetry"):
        assert await publish_reason(doors.platform, "~bridge", relayed) < REFUSED
        for topic in (TELEMETRY, "nabd/v1/tripoli/bin/BIN-1/command", "nabd/v1/tripoli/gateway/lora/receipt"):
            assert await publish_reason(doors.platform, "~bridge", topic) == NOT_AUTHORIZED
    async with (
        listening(
            doors.platform, "~bridge", "nabd/v1/+/gateway/lora/receipt", "nabd/v1/+/+/+/telemetry"
        ) as bridge,
        client(doors.ingest, "~ingest") as ingest,
    ):
        await ingest.publish("nabd/v1/tripoli/gateway/lora/receipt", b"{}", qos=0)
        assert await first(bridge) == ("nabd/v1/tripoli/gateway/lora/receipt", b"{}")


async def test_only_the_api_says_what_people_enter(doors: Doors) -> None:
    """It is of any device: a bridge that was taken over must not speak for all of them."""
    by_hand = str(hand_gateway("tripoli"))

    assert await publish_reason(doors.platform, "~api", by_hand) < REFUSED
    assert await publish_reason(doors.platform, "~bridge", by_hand) == NOT_AUTHORIZED
    assert await publish_reason(doors.devices, "BIN-1", by_hand) == NOT_AUTHORIZED


@pytest.mark.parametrize("account", ["~ingest", "~api", "~bridge", "~simulator"])
async def test_account_of_the_platform_opens_its_own_door_only(doors: Doors, account: str) -> None:
    own = doors.ingest if account == "~ingest" else doors.platform
    async with client(own, account):
        pass

    for door in {doors.devices, doors.platform, doors.ingest} - {own} if doors.own else ():
        with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authori[sz]ed"):
            async with client(door, account):
                pass


@pytest.mark.parametrize(("account", "password"), [(None, None), ("BIN-1", "wrong"), ("BIN-9", "any")])
async def test_stranger_is_refused(doors: Doors, account: str | None, password: str | None) -> None:
    for port in (doors.devices, doors.platform, doors.ingest):
        with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authori[sz]ed"):
            async with aiomqtt.Client("127.0.0.1", port, username=account, password=password):
                pass


async def test_message_waits_for_ingest_beyond_the_default_of_a_thousand(doors: Doors) -> None:
    async with client(doors.ingest, "~ingest", keep=True) as ingest:
        await ingest.subscribe("nabd/v1/+/+/+/response", qos=1)
    async with client(doors.devices, "BIN-1") as device:
        for number in range(1500):
            await device.publish("nabd/v1/tripoli/bin/BIN-1/response", str(number), qos=1)

    async with client(doors.ingest, "~ingest", keep=True) as ingest:
        heard = [int((await first(ingest))[1]) for _ in range(1500)]

    assert heard == list(range(1500))


async def test_api_reads_how_much_the_broker_holds(doors: Doors) -> None:
    address = BrokerAddress(
        host="127.0.0.1", port=doors.platform, username="~api", password=PASSWORDS["~api"]
    )
    async with broker_client.client(address) as client:
        queue = await ask(client, BrokerLimits(messages=2_000_000), within_s=20)

    assert queue is not None
    assert (queue.limit, queue.dropped) == (2_000_000, 0)
