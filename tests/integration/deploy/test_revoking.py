"""Whoever is signed in with what is taken back is out within a minute and stays out: with a stopwatch.

Real mosquitto, its watcher, the database, and what follows it in `nabd sweep`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import aiomqtt
import asyncpg
import pytest

from devices.credentials import authority, issuing, refusals
from devices.registry.editing import retire_device
from nabd import clock
from nabd.broker.address import BrokerAddress
from nabd.doctor.check import Verdict
from nabd.doctor.identity.sign_ins import check_sign_ins
from nabd.embedded.broker import HOST
from nabd.identity import broker_directory, sign_ins, tls_files
from nabd.settings import Settings
from store.audit import PLATFORM
from tests.integration.deploy.deployed import bears_own_passwords
from tests.integration.deploy.town import Town, is_let_in
from tests.integration.devices.town import add_bin

WITHIN_S = 60.0


async def until_out(device: aiomqtt.Client) -> float:
    """Return after how many seconds a connection has ended."""
    began = time.monotonic()
    with suppress(aiomqtt.MqttError):
        async with asyncio.timeout(WITHIN_S):
            async for _ in device.messages:
                pass
    return time.monotonic() - began


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
        again = await asyncio.gather(*(is_let_in(sign_in[way]()) for way in WAYS))
        assert not any(again), again
        await neighbour.publish("nabd/v1/tripoli/bin/BIN-2/telemetry", b"{}", qos=1)


async def test_both_work_during_the_overlap_of_a_rotation(town: Town) -> None:
    for name in ("BIN-1", "BIN-2"):
        await add_bin(town.connection, name)
    old, of_old = await town.password("BIN-1"), await town.certificate("BIN-2")
    new = await town.password("BIN-1", overlap=timedelta(hours=1))
    of_new = await town.certificate("BIN-2", overlap=timedelta(hours=1))
    await town.told()

    # A broker whose doors share one list has the newest there, and no door besides.
    in_force, over = ([("secure", old), ("next", new)], [("next", old), ("secure", new)])
    if not bears_own_passwords():
        in_force, over = [("secure", new)], [("secure", old)]
    for door, password in in_force:
        assert await is_let_in(town.by_password("BIN-1", password, door))
    for door, password in over:
        assert not await is_let_in(town.by_password("BIN-1", password, door))
    for files in (of_old, of_new):
        assert await is_let_in(town.by_certificate(files))

    later = clock.wall() + 3_601_000_000
    town.follower.now = lambda: later
    await town.told()
    for door in ["secure", "next"] if bears_own_passwords() else ["secure"]:
        assert await is_let_in(town.by_password("BIN-1", new, door))
    assert not await is_let_in(town.by_certificate(of_old))
    assert await is_let_in(town.by_certificate(of_new))


async def test_what_waits_for_ingest_outlives_that_the_broker_is_told(town: Town) -> None:
    await add_bin(town.connection, "BIN-1")
    password = await town.password("BIN-1")
    await town.told()
    ingest = town.broker.address("~ingest", "ingest")

    async with session(ingest) as away:
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
    async with session(ingest) as back, asyncio.timeout(10):
        async for message in back.messages:
            heard.append(message.payload)
            if len(heard) == 2:
                break
    assert heard == [b"before", b"after"]


async def test_broker_that_has_much_to_load_starts_again_and_is_told_nothing(town: Town) -> None:
    await add_bin(town.connection, "BIN-1")
    password = await town.password("BIN-1")
    await town.told()
    many = 5_000
    async with session(town.broker.address("~ingest", "ingest")) as away:
        await away.subscribe("nabd/v1/+/+/+/telemetry", qos=1)
    async with town.by_password("BIN-1", password) as device:
        said = [device.publish("nabd/v1/tripoli/bin/BIN-1/telemetry", b"x" * 200, qos=1) for _ in range(many)]
        await asyncio.gather(*said)

    town.broker.stop()
    told = town.broker.log.count("has been told")
    town.broker.start()  # every door opens
    await asyncio.sleep(1.5)  # several looks of the watcher

    assert await is_let_in(town.by_password("BIN-1", password))
    assert town.broker.log.count("has been told") == told
    async with session(town.broker.address("~ingest", "ingest")) as back, asyncio.timeout(20):
        heard = 0
        async for _ in back.messages:
            heard += 1
            if heard == many:
                break


def session(address: BrokerAddress) -> aiomqtt.Client:
    """Return ingest, whose session outlives it."""
    return aiomqtt.Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        identifier="nabd-0123456789ab",
        clean_session=False,
    )


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
        assert await is_let_in(town.by_password("BIN-1", password))
        (town.broker.incoming / name).write_bytes(kept)
    assert (town.broker.data / "tls/server.pem").read_bytes() == server

    now = datetime.now(UTC)
    tls_files.renew(town.broker.tls, now, hosts=["localhost", HOST, "broker.example"])
    town.follower.now = lambda: clock.wall() + 61_000_000
    await town.told()
    assert (town.broker.data / "tls/server.pem").read_bytes() != server
    assert await is_let_in(town.by_password("BIN-1", password))


async def test_who_is_refused_again_and_again_is_seen(town: Town, pool: asyncpg.Pool) -> None:
    await add_bin(town.connection, "BIN-1")
    password = await town.password("BIN-1")
    await town.told()
    watching = asyncio.create_task(sign_ins.watch(pool, town.broker.address("~api"), clock.wall))
    try:
        deadline = time.monotonic() + 20
        found = await refusals.recent(town.connection, datetime.now(UTC))
        while found.count < refusals.MANY and time.monotonic() < deadline:
            await asyncio.gather(*(is_let_in(town.by_password("BIN-1", "wrong")) for _ in range(8)))
            found = await refusals.recent(town.connection, datetime.now(UTC))
        # Counting that cannot go on ends the watch, and with it `nabd sweep`, which says so.
        await town.connection.execute("ALTER TABLE refused_sign_in RENAME TO gone")
        assert not await is_let_in(town.by_password("BIN-1", "wrong"))
        with pytest.raises(ExceptionGroup) as ended:
            async with asyncio.timeout(20):
                await watching
        assert ended.group_contains(asyncpg.UndefinedTableError)
        await town.connection.execute("ALTER TABLE gone RENAME TO refused_sign_in")
    finally:
        watching.cancel()
    assert found.count >= refusals.MANY
    assert await is_let_in(town.by_password("BIN-1", password))
    told = await check_sign_ins(town.connection, Settings())
    assert told.verdict is Verdict.NOTE
    assert "refused at the broker" in told.said
    assert "New connection from" not in town.broker.log, "ordinary connections are not printed"
