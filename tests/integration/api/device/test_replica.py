"""The past is read from a streaming replica while it follows, and from the primary while it does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from api.app import create_app
from nabd.doctor.check import Verdict
from nabd.doctor.running.replica import check_replica
from nabd.embedded.parts import migrated
from nabd.embedded.postgres import EmbeddedPostgres, programs
from nabd.settings import Settings
from store.pool import connect, open_pool
from store.standing.replica import Replica
from tests.integration.api import builders
from tests.waiting import eventually


class Pair:
    """A primary and its streaming replica."""

    def __init__(self, directory: Path) -> None:
        self.primary = EmbeddedPostgres(directory / "primary")
        self.replica = EmbeddedPostgres(directory / "replica", settings={"hot_standby_feedback": "on"})

    def start(self) -> None:
        host = Path(str(self.primary.start()).partition("host=")[2])
        self.replica.prepare()
        subprocess.run(
            [programs() / "pg_basebackup", f"--host={host}", "--username=postgres", "--checkpoint=fast",
             "--wal-method=stream", "--write-recovery-conf", f"--pgdata={self.replica.pgdata}"],
            check=True, capture_output=True,
        )  # fmt: skip
        if os.geteuid() == 0:
            owner = self.replica.directory.stat()
            for path in (self.replica.pgdata, *self.replica.pgdata.rglob("*")):
                os.chown(path, owner.st_uid, owner.st_gid)
        self.replica.start()

    def stop(self) -> None:
        self.replica.stop()
        self.primary.stop()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    directory = Path(tempfile.mkdtemp(prefix="nabd-replica-", dir="/tmp"))
    directory.chmod(0o755)
    made = Pair(directory)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(directory, ignore_errors=True)


async def test_readings_come_from_the_replica_while_it_follows(pair: Pair) -> None:
    settings = Settings(database=pair.primary.dsn(), replica=pair.replica.dsn())
    await migrated(settings)
    primary, pool = await open_pool(pair.primary.dsn()), await open_pool(pair.replica.dsn())
    replica = Replica(pool, primary)
    app = create_app(
        pool=primary, kinds=builders.KINDS, now=builders.now, beyond_loopback=True, replica=replica
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    at = builders.NOON - timedelta(hours=1)

    async def asked() -> int:
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://nabd.example.org", headers=builders.BEARER
        ) as client:
            answer = await client.get(
                "/api/v1/devices/bin-1/readings", params={"start": at.isoformat(), "bucket": "raw"}
            )
            observed = await client.get(
                "/sensorthings/v1.1/Datastreams('bin-1:fill_pct')/Observations", params={"$count": "true"}
            )
            past = await client.get("/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:WasteContainer:bin-1")
            newest = observed.json()["value"][-1]
            assert (await client.get(newest["@iot.selfLink"])).json()["result"] == newest["result"]
        assert answer.status_code == 200, answer.text
        readings = answer.json()["readings"]
        assert observed.json()["@iot.count"] == len(past.json()["fillingLevel"]) == len(readings)
        return len(readings)

    async def follows() -> bool:
        await replica.look()
        return replica.pool is not None

    connection = await connect(pair.primary.dsn())
    await builders.let_in(connection)
    device = await builders.add(connection, "bin-1")
    await builders.store(connection, device, [{"observed_at": at, "fill_pct": 40.0}])
    assert await asked() == 1  # nobody has looked yet: of the primary
    await eventually(follows)

    # It gets everything and shows nothing new: what is answered then can only come from it.
    await pool.execute("SELECT pg_wal_replay_pause()")
    await builders.store(connection, device, [{"observed_at": at + timedelta(minutes=1), "fill_pct": 41.0}])
    assert await asked() == 1

    # Two looks later that is noticed, and the primary answers.
    await replica.look()
    await replica.look()
    assert replica.pool is None
    assert await asked() == 2

    await pool.execute("SELECT pg_wal_replay_resume()")
    await eventually(follows)
    assert await asked() == 2
    assert (await check_replica(connection, settings)).verdict is Verdict.FINE

    # Away, and back.
    pair.replica.stop_server("immediate")
    await replica.look()
    assert (await asked(), replica.pool) == (2, None)
    away = await check_replica(connection, settings)
    assert (away.verdict, "the primary answers" in away.said) == (Verdict.NOTE, True)
    pair.replica.start()
    await eventually(follows)
    assert await asked() == 2

    # What takes writes of its own is no replica, however new it is.
    no_replica = Replica(primary, primary)
    await no_replica.look()
    await no_replica.look()
    assert no_replica.pool is None
    wrong = settings.model_copy(update={"replica": settings.database})
    assert (await check_replica(connection, wrong)).verdict is Verdict.BAD
    for opened in (connection, pool, primary):
        await opened.close()
