"""Every device against every other at the deployed broker: it publishes, leaves, wills and hears its own.

Bins, lights, drones and gateways, by password and by certificate. And who gets no further than the door.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiomqtt
import pytest

from devices.credentials import authority, issuing
from devices.credentials.authority import KeyPair
from devices.registry.registration import NewDevice, add_device
from nabd import clock
from nabd.broker.client import client
from nabd.embedded.broker import HOST
from nabd.identity import tls_files
from store.audit import PLATFORM
from tests.integration.deploy.town import Town, is_let_in
from tests.integration.devices.town import KINDS, add_bin, now

pytestmark = pytest.mark.attack("a device's identity at the broker")

FLEET = {
    "BIN-1": ("bin", "password"),
    "urn:bin:2": ("bin", "certificate"),
    "LGT-1": ("light", "password"),
    "LGT-2": ("light", "certificate"),
    "DRN-1": ("drone", "certificate"),
    "GW-1": ("gateway", "password"),
    "GW-2": ("gateway", "certificate"),
}
"""Devices by name: kind, and how they sign in."""
SAID = ("telemetry", "presence", "response")
HEARD = ("command", "receipt")
SignIn = Callable[..., aiomqtt.Client]


def topic(device: str, channel: str) -> str:
    return f"nabd/v1/tripoli/{FLEET[device][0]}/{device}/{channel}"


async def settle(town: Town) -> dict[str, SignIn]:
    """Register the fleet with credentials; return how each signs in."""
    found: dict[str, SignIn] = {}
    for name, (kind, form) in FLEET.items():
        new = NewDevice(name=name, kind=kind, municipality="tripoli")
        await add_device(town.connection, KINDS, new, now, by=PLATFORM)
        if form == "password":
            found[name] = partial(town.by_password, name, await town.password(name))
        else:
            found[name] = partial(town.by_certificate, await town.certificate(name))
    await town.told()
    return found


async def heard_until(listener: aiomqtt.Client, last: bytes) -> set[tuple[str, bytes]]:
    """Return what a client hears before the message `last`."""
    heard: set[tuple[str, bytes]] = set()
    async with asyncio.timeout(20):
        async for message in listener.messages:
            assert isinstance(message.payload, bytes)
            if message.payload == last:
                return heard
            heard.add((message.topic.value, message.payload))
    raise AssertionError("the connection ended")


async def test_each_device_speaks_for_itself_alone(town: Town) -> None:
    devices = await settle(town)
    tried = 0
    everything = [f"nabd/v1/+/+/+/{channel}" for channel in SAID]
    own = {(topic(name, channel), f"{name} says".encode()) for name in FLEET for channel in SAID}
    own_left = {(topic(name, channel), f"{name} left".encode()) for name in FLEET for channel in SAID}
    own_wills = {(topic(name, "presence"), f"{name} wills".encode()) for name in FLEET}

    async with client(town.broker.address("~ingest", "ingest"), identifier="ingest") as ingest:
        for each in everything:
            await ingest.subscribe(each, qos=1)
        for name, sign_in in devices.items():
            async with sign_in() as device:
                for other in FLEET:
                    for channel in SAID:
                        await device.publish(topic(other, channel), f"{name} says", qos=1)
                        await device.publish(topic(other, channel), f"{name} left", qos=1, retain=True)
                        tried += 2
            for other in FLEET:
                tried += await die(sign_in, topic(other, "presence"), f"{name} wills")
        async with devices["BIN-1"]() as last:
            await last.publish(topic("BIN-1", "response"), b"last", qos=1)
        heard = await heard_until(ingest, b"last")

    assert heard == own | own_left | own_wills
    async with client(town.broker.address("~ingest", "ingest"), identifier="later") as later:
        for each in everything:
            await later.subscribe(each, qos=1)
        async with devices["BIN-1"]() as last:
            await last.publish(topic("BIN-1", "response"), b"last", qos=1)
        # Wills were not to be left; the last that each device left of a topic is its own.
        assert await heard_until(later, b"last") == own_left
    heard_of = len(own | own_left | own_wills)
    print(f"{tried} attempts of {len(FLEET)} devices to speak: {heard_of} heard, all their own")


async def die(sign_in: SignIn, of: str, wills: str) -> int:
    """Sign in with a last will and vanish without a farewell; return 1."""
    try:
        async with sign_in(will=aiomqtt.Will(of, wills, qos=1)) as device:
            raw = device._client.socket()
            assert isinstance(raw, socket.socket)
            raw.shutdown(socket.SHUT_RDWR)
            async for _ in device.messages:
                pass
    except (aiomqtt.MqttError, OSError):
        pass  # refused at the door for its will, or gone
    return 1


async def test_each_device_hears_itself_alone(town: Town) -> None:
    devices = await settle(town)
    async with AsyncExitStack() as connected:
        listeners = {name: await connected.enter_async_context(one()) for name, one in devices.items()}
        for listener in listeners.values():
            for asked in ("#", "nabd/#", *(topic(other, channel) for other in FLEET for channel in HEARD)):
                await listener.subscribe(asked, qos=1)
        for account, door, channel in (("~api", "platform", "command"), ("~ingest", "ingest", "receipt")):
            async with client(town.broker.address(account, door), identifier=f"of {account}") as platform:
                for name in FLEET:
                    await platform.publish(topic(name, channel), f"{channel} for {name}", qos=1)
        async with client(town.broker.address("~api"), identifier="last") as platform:
            for name in FLEET:
                await platform.publish(topic(name, "command"), b"last", qos=1)
        for name, listener in listeners.items():
            expected = {(topic(name, channel), f"{channel} for {name}".encode()) for channel in HEARD}
            assert await heard_until(listener, b"last") == expected, name
    print(f"{len(FLEET) ** 2 * len(HEARD)} pairs of device and channel: {len(FLEET) * len(HEARD)} heard")


async def test_who_is_not_who_he_says_gets_no_further_than_the_door(town: Town, tmp_path: Path) -> None:
    for name in ("BIN-1", "BIN-2", "BIN-3"):
        await add_bin(town.connection, name)
    password, files = await town.password("BIN-1"), await town.certificate("BIN-2")
    revoked, lost = await town.certificate("BIN-3"), await town.password("BIN-3")
    await issuing.revoke(town.connection, ["BIN-3"], now=clock.wall, by=PLATFORM)
    await town.told()
    today = datetime.now(UTC)
    signing = tls_files.signer(town.broker.tls, today)
    stranger = authority.new_authority("Nabd", today)
    foreign = authority.load(stranger.certificate, stranger.key, today)

    def with_files(name: str, pair: KeyPair) -> aiomqtt.Client:
        kept = (tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        kept[0].write_bytes(pair.certificate)
        kept[1].write_bytes(pair.key)
        return town.by_certificate(kept)

    past = today - timedelta(days=800)
    chain = authority.for_device(signing, "BIN-1", today)
    refused = {
        "revoked password": town.by_password("BIN-3", lost),
        "wrong password": town.by_password("BIN-1", lost),
        "another's password": town.by_password("BIN-2", password),
        "password at the door of the newest, of one revoked": town.by_password("BIN-3", lost, "next"),
        "no certificate": town.by_password("BIN-1", password, "certified"),
        "certificate where passwords are asked for": aiomqtt.Client(
            HOST,
            town.broker.ports["secure"],
            tls_context=town.broker.trusting(certificate=files[0], key=files[1]),
        ),
        "revoked certificate": town.by_certificate(revoked),
        "expired certificate": with_files("expired", authority.for_device(signing, "BIN-2", past)),
        "certificate of another authority": with_files(
            "foreign", authority.for_device(foreign, "BIN-2", today)
        ),
        "the server's certificate": with_files(
            "server",
            KeyPair(
                certificate=(town.broker.tls / "server.pem").read_bytes(),
                key=(town.broker.tls / "server.key").read_bytes(),
            ),
        ),
        "plaintext at the door of passwords": plain(town, "secure", "BIN-1", password),
        "plaintext at the door of certificates": plain(town, "certified", "BIN-1", password),
        "account of the platform": town.by_password("~api", "out"),
    }
    results = await asyncio.gather(*map(is_let_in, refused.values()))
    assert {why: entered for why, entered in zip(refused, results, strict=True) if entered} == {}
    print(f"{len(refused)} refused: {', '.join(refused)}")
    with pytest.raises(ssl.SSLError, match=r"(?i)key.values.mismatch"):
        with_files("mixed", KeyPair(certificate=files[0].read_bytes(), key=chain.key))

    # A server of another authority is not believed; another's name beside one's own certificate is nothing.
    untrusting = ssl.create_default_context(cadata=stranger.certificate.decode())
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(HOST, town.broker.ports["secure"], ssl=untrusting)
    async with client(town.broker.address("~ingest", "ingest"), identifier="ingest") as ingest:
        await ingest.subscribe("nabd/v1/+/+/+/telemetry", qos=1)
        async with town.by_certificate(files, claims="BIN-1") as claiming:
            await claiming.publish("nabd/v1/tripoli/bin/BIN-1/telemetry", b"false", qos=1)
            await claiming.publish("nabd/v1/tripoli/bin/BIN-2/telemetry", b"last", qos=1)
        assert await heard_until(ingest, b"last") == set()


def plain(town: Town, door: str, name: str, password: str) -> aiomqtt.Client:
    return aiomqtt.Client(HOST, town.broker.ports[door], username=name, password=password, timeout=4)
