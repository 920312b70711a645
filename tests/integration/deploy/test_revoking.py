"""Whoever is signed in with what is taken back is out within a minute and stays out: with a stopwatch.

Real mosquitto, its watcher, the database, and what follows it in `nabd sweep`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiomqtt
import asyncpg
import pytest
from cryptography import x509

from devices.credentials import authority, issuing
from devices.credentials.credential import IssuedCertificate
from devices.registry.editing import retire_device
from nabd import clock
from nabd.embedded.broker import HOST
from nabd.identity import broker_directory, tls_files
from nabd.identity.follower import CredentialWatch
from store.audit import PLATFORM
from tests.integration.deploy.deployed import DeployedBroker, bears_own_passwords
from tests.integration.devices.town import KINDS, add_bin, add_town
from tests.parts import need_mosquitto

WITHIN_S = 60.0
REFUSED_S = 2.0
"""With TLS 1.3 a client learns late, and some never, that its certificate is refused."""
LAST = "nabd/v1/tripoli/bin/{}/presence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A broker, what follows the database, and a connection to it."""

    broker: DeployedBroker
    connection: asyncpg.Connection
    follower: CredentialWatch

    async def password(self, name: str, *, overlap: timedelta = timedelta(0)) -> str:
        made = await issuing.rotate_passwords(
            self.connection,
            KINDS,
            [name],
            overlap=overlap,
            now=clock.wall,
            by=PLATFORM,
            random=secrets.token_bytes,
        )
        return made[0].password

    async def certificate(self, name: str, *, overlap: timedelta = timedelta(0)) -> tuple[Path, Path]:
        now = datetime.now(UTC)
        pair = authority.for_device(tls_files.signer(self.broker.tls, now), name, now)
        found = x509.load_pem_x509_certificate(pair.certificate)
        made = IssuedCertificate(
            device=name,
            username=name,
            serial=authority.serial_of(found),
            fingerprint=authority.fingerprint_of(found),
            not_after=found.not_valid_after_utc,
        )
        await issuing.add_certificates(
            self.connection, KINDS, [made], overlap=overlap, now=clock.wall, by=PLATFORM
        )
        files = (self.broker.tls / f"{made.serial}.pem", self.broker.tls / f"{made.serial}.key")
        for file, content in zip(files, (pair.certificate, pair.key), strict=True):
            file.write_bytes(content)
        return files

    def by_password(self, name: str, password: str, door: str = "secure") -> aiomqtt.Client:
        will = aiomqtt.Will(LAST.format(name), b"gone", qos=1)
        return aiomqtt.Client(
            HOST,
            self.broker.ports[door],
            username=name,
            password=password,
            tls_context=self.broker.trusting() if door != "devices" else None,
            will=will,
            timeout=REFUSED_S,
        )

    def by_certificate(self, files: tuple[Path, Path]) -> aiomqtt.Client:
        context = self.broker.trusting(certificate=files[0], key=files[1])
        return aiomqtt.Client(
            HOST, self.broker.ports["certified"], identifier="any", tls_context=context, timeout=REFUSED_S
        )

    async def told(self) -> None:
        """Wait until the broker goes by what the database says now."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            await self.follower.follow()
            said = broker_directory.applied(self.broker.incoming)
            wanted = {name: broker_directory.digest(text) for name, text in self.follower.wanted.items()}
            if {name: one.digest for name, one in said.items()} == wanted:
                await asyncio.sleep(0.3)  # mosquitto acts on a signal in its next round, at most 100 ms away
                return
            await asyncio.sleep(0.1)
        pytest.fail(f"the broker has not taken it: {self.broker.log}")


@pytest.fixture
async def town(pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path) -> AsyncIterator[Town]:
    need_mosquitto()
    await add_town(connection)
    broker = DeployedBroker(directory=tmp_path)
    broker.make_authority()
    follower = CredentialWatch(
        pool=pool,
        directory=broker.incoming,
        tls_dir=broker.tls,
        broker=broker.address("~api"),
        now=clock.wall,
    )
    await follower.follow()
    with broker:
        yield Town(broker=broker, connection=connection, follower=follower)


async def until_out(device: aiomqtt.Client) -> float:
    """Return after how many seconds a connection has ended."""
    began = time.monotonic()
    with suppress(aiomqtt.MqttError):
        async with asyncio.timeout(WITHIN_S):
            async for _ in device.messages:
                pass
    return time.monotonic() - began


async def enter(device: aiomqtt.Client) -> None:
    """Sign in and leave."""
    async with device:
        pass


WAYS = [(form, how) for form in ("password", "certificate") for how in ("revoked", "retired", "rotated")]


async def test_session_ends_within_a_minute_by_each_way_of_taking_back(town: Town) -> None:
    """Six devices at once; a neighbour stays."""
    names = {way: f"{'urn:' if way[0] == 'certificate' else ''}{way[0]}.{way[1]}" for way in WAYS}
    sign_in: dict[tuple[str, str], Callable[[], aiomqtt.Client]] = {}
    for way, name in names.items():
        await add_bin(town.connection, name)
        if way[0] == "password":
            sign_in[way] = partial(town.by_password, name, await town.password(name))
        else:
            sign_in[way] = partial(town.by_certificate, await town.certificate(name))
    await add_bin(town.connection, "BIN-2")
    other = await town.password("BIN-2")
    await town.told()

    async def out(way: tuple[str, str]) -> float:
        with suppress(aiomqtt.MqttError):  # what ends here ends the context too
            async with sign_in[way]() as device:
                there.release()
                took = await until_out(device)
        return took

    there = asyncio.Semaphore(0)
    outs = {way: asyncio.create_task(out(way)) for way in WAYS}
    async with town.by_password("BIN-2", other) as neighbour:
        for _ in WAYS:
            await there.acquire()
        following = asyncio.create_task(town.follower.run())
        for (form, how), name in names.items():
            if how == "revoked":
                await issuing.revoke(town.connection, [name], now=clock.wall, by=PLATFORM)
            elif how == "retired":
                await retire_device(town.connection, name, "stolen", clock.wall, by=PLATFORM)
            elif form == "password":
                await town.password(name)
            else:
                await town.certificate(name)
        took = {way: await task for way, task in outs.items()}
        following.cancel()
        print("out after", ", ".join(f"{form} {how}: {took[form, how]:.1f} s" for form, how in WAYS))
        assert max(took.values()) < WITHIN_S
        again = await asyncio.gather(*(enter(sign_in[way]()) for way in WAYS), return_exceptions=True)
        assert all(isinstance(one, aiomqtt.MqttError) for one in again), again
        await neighbour.publish("nabd/v1/tripoli/bin/BIN-2/telemetry", b"{}", qos=1)


async def test_both_work_during_the_overlap_of_a_rotation(town: Town) -> None:
    for name in ("BIN-1", "BIN-2"):
        await add_bin(town.connection, name)
    old, of_old = await town.password("BIN-1"), await town.certificate("BIN-2")
    new = await town.password("BIN-1", overlap=timedelta(hours=1))
    of_new = await town.certificate("BIN-2", overlap=timedelta(hours=1))
    await town.told()

    doors = [("secure", old)] + ([("next", new)] if bears_own_passwords() else [])
    for door, password in doors:
        async with town.by_password("BIN-1", password, door):
            pass
    for door, password in [("next", old), ("secure", new)]:
        with pytest.raises(aiomqtt.MqttError):
            async with town.by_password("BIN-1", password, door):
                pass
    for files in (of_old, of_new):
        async with town.by_certificate(files):
            pass

    later = clock.wall() + 3_601_000_000
    town.follower.now = lambda: later
    await town.told()
    for door in ["secure", "next"] if bears_own_passwords() else ["secure"]:
        async with town.by_password("BIN-1", new, door):
            pass
    with pytest.raises(aiomqtt.MqttError):
        async with town.by_certificate(of_old):
            pass
    async with town.by_certificate(of_new):
        pass


async def test_what_waits_for_ingest_outlives_that_the_broker_is_told(town: Town) -> None:
    await add_bin(town.connection, "BIN-1")
    password = await town.password("BIN-1")
    await town.told()
    ingest = town.broker.address("~ingest", "ingest")

    def session() -> aiomqtt.Client:
        return aiomqtt.Client(
            ingest.host,
            ingest.port,
            username=ingest.username,
            password=ingest.password,
            identifier="nabd-0123456789ab",
            clean_session=False,
        )

    async with session() as away:
        await away.subscribe("nabd/v1/+/+/+/telemetry", qos=1)
    topic = "nabd/v1/tripoli/bin/BIN-1/telemetry"
    async with town.by_password("BIN-1", password) as device:
        await device.publish(topic, b"before", qos=1)
    await add_bin(town.connection, "BIN-3")
    await town.password("BIN-3")
    await town.told()
    async with town.by_password("BIN-1", password) as device:
        await device.publish(topic, b"after", qos=1)

    heard: list[object] = []
    async with session() as back, asyncio.timeout(10):
        async for message in back.messages:
            heard.append(message.payload)
            if len(heard) == 2:
                break
    assert heard == [b"before", b"after"]


async def test_what_is_broken_is_refused_and_what_was_before_stays(town: Town) -> None:
    await add_bin(town.connection, "BIN-1")
    password = await town.password("BIN-1")
    await town.told()
    whole = (town.broker.incoming / "passwords").read_bytes()
    server = (town.broker.incoming / "server.pem").read_bytes()
    elsewhere = authority.new_authority("Elsewhere", datetime.now(UTC))

    for name, broken, why in (
        ("passwords", b"", "no whole list"),
        ("passwords", whole[:-40], "no whole list"),
        ("passwords", whole.replace(b"# nabd: 1", b"# nabd: 2"), "no whole list"),
        ("server.pem", b"junk", "server.pem"),
        ("server.pem", elsewhere.certificate, "server"),
        ("crl.pem", b"", "crl.pem"),
    ):
        kept = (town.broker.incoming / name).read_bytes()
        (town.broker.incoming / name).write_bytes(broken)
        deadline = time.monotonic() + 20
        digest = broker_directory.digest(broken)
        while (said := broker_directory.applied(town.broker.incoming)[name]).digest != digest:
            assert time.monotonic() < deadline, town.broker.log
            await asyncio.sleep(0.1)
        assert said.said.startswith("refused")
        assert why in said.said, said
        async with town.by_password("BIN-1", password):
            pass
        (town.broker.incoming / name).write_bytes(kept)
    assert (town.broker.data / "tls/server.pem").read_bytes() == server

    now = datetime.now(UTC)
    tls_files.renew(town.broker.tls, now, hosts=["localhost", HOST, "broker.example"])
    town.follower.now = lambda: clock.wall() + 61_000_000
    await town.told()
    assert (town.broker.data / "tls/server.pem").read_bytes() != server
    async with town.by_password("BIN-1", password):
        pass
