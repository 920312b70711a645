"""All processes beside each other, each known to the database as itself and as nobody who may more."""

from __future__ import annotations

from pathlib import Path

from tests import platform
from tests.brokers import Broker
from tests.waiting import eventually


async def test_processes_work_each_under_its_own_account(dsn: str, broker: Broker, tmp_path: Path) -> None:
    everything = ("ingest", "sweep", "notify", "api")
    async with platform.running(dsn, broker, tmp_path, processes=everything) as running:
        await platform.register(running, register_unknown=True)
        reading = {"fill_pct": 96, "temperature_c": 20}
        for name in ("BIN-1", "BIN-2", "BIN-1"):
            await running.publish((f"nabd/v1/tripoli/bin/{name}/telemetry", reading), device=name)

        async def seen() -> bool:
            rows = await running.database.fetchval("SELECT count(*) FROM bin_reading")
            swept = await running.database.fetchval("SELECT count(*) FROM sweep_run")
            told = await running.database.fetchval("SELECT alive_at FROM notifier")
            rolled = await running.database.fetchval("SELECT count(*) FROM rollup_mark")
            users = await running.database.fetchval(
                "SELECT count(DISTINCT usename) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename LIKE 'nabd\\_%'"
            )
            return rows == 3 and swept and told and not rolled and users == 4

        await eventually(seen, within=40)
        for child in running.supervisor.children:
            said = child.log.read_text(encoding="utf-8")
            assert "permission denied" not in said
            assert child.restarts == 0
