"""All processes beside each other, each known to the database as itself and as nobody who may more."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from nabd.accounts import granting
from nabd.accounts.grants import Account
from nabd.supervisor import MODULE
from readings.tables import tables_of
from store.pool import connect
from tests import platform
from tests.brokers import Broker
from tests.databases import as_account
from tests.integration.api import builders
from tests.platform import Platform
from tests.waiting import eventually

LASTING = ("ingest", "sweep", "notify", "api")
READING = {"fill_pct": 96, "temperature_c": 20}


async def say(running: Platform, *devices: str) -> None:
    """Let bins publish a reading each."""
    for name in devices:
        await running.publish((f"nabd/v1/tripoli/bin/{name}/telemetry", READING), device=name)


async def test_processes_work_each_under_its_own_account(dsn: str, broker: Broker, tmp_path: Path) -> None:
    async with platform.running(dsn, broker, tmp_path, processes=LASTING) as running:
        await platform.register(running, register_unknown=True)
        await say(running, "BIN-1", "BIN-2", "BIN-1")

        async def works() -> bool:
            rows = await running.database.fetchval("SELECT count(*) FROM bin_reading")
            swept = await running.database.fetchval("SELECT count(*) FROM sweep_run")
            told = await running.database.fetchval("SELECT alive_at FROM notifier")
            rolled = await running.database.fetchval("SELECT count(*) FROM rollup_mark")
            users = await running.database.fetchval(
                "SELECT count(DISTINCT usename) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename LIKE 'nabd\\_%'"
            )
            return rows == 3 and swept and told and not rolled and users == 4

        await eventually(works, within=60)
        assert await asyncio.gather(*(is_alive(running, dsn, name) for name in LASTING)) == [0, 0, 0, 0]
        for child in running.supervisor.children:
            said = child.log.read_text(encoding="utf-8")
            assert "permission denied" not in said
            assert child.restarts == 0


async def is_alive(running: Platform, dsn: str, process: str) -> int:
    """Return the exit code of a health check, asked with the process's own account."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, *MODULE, "nabd", "alive", process, "--json",
        env={
            "NABD_DATABASE": as_account(dsn, Account(process)),
            "NABD_HTTP_PORT": str(running.settings.http_port),
        },
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return await started.wait()


async def test_account_without_a_right_waits_for_it_and_nothing_is_rejected(
    dsn: str, broker: Broker, tmp_path: Path
) -> None:
    async with platform.running(dsn, broker, tmp_path, processes=("ingest",)) as running:
        await platform.register(running, register_unknown=True)
        await running.database.execute("REVOKE INSERT ON bin_reading FROM nabd_ingest")
        await say(running, "BIN-1")
        log = running.child("ingest").log

        async def told() -> bool:
            return "permission denied for table bin_reading" in log.read_text(encoding="utf-8")

        await eventually(told)
        owner = await connect(as_account(dsn, Account.OWNER))
        await granting.reconcile(owner, tables_of(builders.KINDS.values()))
        await owner.close()

        async def stored() -> bool:
            return bool(await running.database.fetchval("SELECT count(*) FROM bin_reading"))

        await eventually(stored, within=60)
        assert await running.database.fetchval("SELECT count(*) FROM rejection") == 0
