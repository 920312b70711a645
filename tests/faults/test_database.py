"""The database killed, stopped, frozen, full: ingest waits, the broker holds, all is stored once."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from nabd.embedded.postgres import EmbeddedPostgres
from tests import databases
from tests.brokers import Mosquitto
from tests.faults import checker
from tests.faults.conftest import OwnServer
from tests.faults.plant import Plant, eventually, resident_mb, scaled
from tests.parts import MOUNT, ROOT, missing

TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_COMMITTING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"


async def test_nothing_is_lost_when_the_sessions_of_ingest_are_killed(plant: Plant) -> None:
    plant.run(batch_messages=50)
    await plant.owned()
    async with plant.fleet() as fleet:
        talking = asyncio.create_task(fleet.talk(seconds=scaled(4, 60), rate=600))
        killed = 0
        while not talking.done():
            await asyncio.sleep(fleet.random.uniform(0.05, 0.6))
            killed += await plant.fetchval(TERMINATE)
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])
    print(f"killed {killed} sessions")

    assert killed
    assert found.holds, checker.summary(found)


async def test_a_commit_that_was_never_answered_is_adopted_and_not_repeated(
    server_plant: Plant, own_server: OwnServer
) -> None:
    """A commit waits for a replica that does not exist; its session is killed after it has committed."""
    plant = server_plant
    await plant.subscribed()
    async with plant.fleet() as fleet:
        fleet.say(400)
        await fleet.answered()
    plant.run(batch_messages=100)
    await plant.owned()
    await _wait_for_a_replica(plant, "nobody")
    async with plant.fleet(name="more", since=plant.since + 3_600_000_000) as more:
        more.say(400)

        async def committing() -> int | None:
            pid: int | None = await plant.fetchval(_COMMITTING)
            return pid

        # Told to end while it waits: the transaction is committed, the answer is never sent.
        await plant.fetchval("SELECT pg_terminate_backend($1)", await eventually(committing))
        await _wait_for_a_replica(plant, "")
        await more.answered()
        found = await plant.proof([fleet, more])

    log = (plant.directory / "ingest" / "ingest.log").read_text()
    assert found.holds, checker.summary(found)
    assert '"outcome": "committed"' in log
    assert await plant.fetchval("SELECT sum(duplicate) FROM ledger") == 0


async def _wait_for_a_replica(plant: Plant, name: str) -> None:
    await plant.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    await plant.execute("SELECT pg_reload_conf()")


async def test_nothing_is_lost_when_the_server_crashes_under_load(
    server_plant: Plant, own_server: OwnServer
) -> None:
    plant, server = server_plant, own_server.server
    process = plant.run(batch_messages=100)
    await plant.owned()
    async with plant.fleet() as fleet:
        talking = asyncio.create_task(fleet.talk(seconds=scaled(5, 90), rate=600))
        for _ in range(int(scaled(2, 12))):
            await asyncio.sleep(fleet.random.uniform(0.8, scaled(1.6, 5)))
            await asyncio.to_thread(server.stop_server, "immediate")
            await asyncio.to_thread(server.start)
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])

    assert found.holds, checker.summary(found)
    assert process.is_alive()


async def test_nothing_is_lost_when_the_server_crashes_in_the_middle_of_a_batch(
    server_plant: Plant, own_server: OwnServer
) -> None:
    plant, server = server_plant, own_server.server
    await plant.subscribed()
    async with plant.fleet() as fleet:
        fleet.say(800)
        await fleet.answered()
    process = plant.run(hold_at=("consumed", 2))

    async def held() -> bool:
        return plant.plan().held.exists()

    await eventually(held)
    await asyncio.to_thread(server.stop_server, "immediate")
    await asyncio.to_thread(server.start)
    plant.plan().go.touch()
    found = await plant.proof([fleet])

    assert found.holds, checker.summary(found)
    assert process.is_alive()


async def test_ingest_waits_in_constant_memory_and_catches_up_when_the_server_is_away(
    server_plant: Plant, own_server: OwnServer
) -> None:
    plant, server = server_plant, own_server.server
    process = plant.run(receive_maximum=20_000, batch_messages=20_000, keep_alive_s=int(scaled(4, 30)))
    await plant.owned()
    assert process.pid is not None
    async with plant.fleet() as fleet:
        fleet.say(2000)
        await fleet.answered()
        await plant.proof([fleet])
        before = resident_mb(process.pid)
        await asyncio.to_thread(server.stop_server)
        await fleet.talk(seconds=scaled(4, 120), rate=int(scaled(2000, 5000)))
        await fleet.answered()
        during = resident_mb(process.pid)
        await asyncio.to_thread(server.start)
        found = await plant.proof([fleet], within=scaled(60, 600))
    after = resident_mb(process.pid)
    print(f"resident MB before {before:.0f}, while away {during:.0f}, afterwards {after:.0f}")

    assert found.holds, checker.summary(found)
    # At most the receive maximum of messages waits in the process, and one batch of them is being stored.
    assert during - before < 60
    assert after < 300


async def test_ingest_outlasts_a_frozen_server(server_plant: Plant, own_server: OwnServer) -> None:
    plant = server_plant
    plant.run(impatient=True)
    await plant.owned()
    async with plant.fleet() as fleet:
        talking = asyncio.create_task(fleet.talk(seconds=scaled(6, 100), rate=300))
        await asyncio.sleep(1)
        frozen = _processes(own_server.server.pid)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(scaled(5, 90))
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])

    assert "database is away" in (plant.directory / "ingest" / "ingest.log").read_text()
    assert found.holds, checker.summary(found)


def _processes(postmaster: int) -> list[int]:
    return [postmaster, *(child.pid for child in psutil.Process(postmaster).children())]


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a disk that is soon full."""
    if os.geteuid() != 0:
        missing(ROOT)
    directory = Path(tempfile.mkdtemp(prefix="nabd-test-"))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", str(directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        missing(MOUNT, done.stderr.strip())
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
async def small_disk_plant(
    mosquitto: Mosquitto, tmp_path: Path, seed: int
) -> AsyncIterator[tuple[Plant, EmbeddedPostgres, Path]]:
    """A plant whose whole database lies on a small disk of its own."""
    with small_disk(160) as disk:
        settings = {"min_wal_size": "32MB", "max_wal_size": "48MB", "wal_keep_size": "0"}
        server = EmbeddedPostgres(disk / "postgres", settings={**databases.FAST, **settings})
        server.start()
        try:
            name = databases.create_database(server, databases.create_template(server))
            plant = Plant(dsn=server.dsn(name), broker=mosquitto, directory=tmp_path, seed=seed)
            await plant.found()
            yield plant, server, disk
            plant.close()
        finally:
            server.delete()


async def test_nothing_is_lost_when_the_disk_of_the_database_is_full(
    small_disk_plant: tuple[Plant, EmbeddedPostgres, Path],
) -> None:
    plant, server, disk = small_disk_plant
    plant.run()
    await plant.owned()
    ballast = disk / "ballast"
    async with plant.fleet() as fleet:
        fleet.say(500)
        await fleet.answered()
        await plant.proof([fleet])
        _fill(ballast)
        await fleet.talk(seconds=scaled(3, 60), rate=3000)
        await fleet.answered()
        log = plant.directory / "ingest" / "ingest.log"

        async def away() -> bool:
            return "database is away" in log.read_text()

        await eventually(away)
        ballast.unlink()
        await _bring_back(server)
        found = await plant.proof([fleet], within=scaled(60, 300))

    assert found.holds, checker.summary(found)
    assert "internal" not in {r["reason"] for r in await plant.fetch("SELECT reason FROM rejection")}


def _fill(ballast: Path) -> None:
    """Write until the disk is full."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass


async def _bring_back(server: EmbeddedPostgres) -> None:
    """Start the server where the full disk has ended it, as an operator would."""
    try:
        connection = await asyncpg.connect(server.dsn(), timeout=5)
        await connection.close()
    except (OSError, asyncpg.PostgresError, TimeoutError):
        await asyncio.to_thread(server.stop_server, "immediate")
        await asyncio.to_thread(server.start)
