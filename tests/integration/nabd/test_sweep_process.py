"""`nabd sweep` as a process of its own: it judges by the ingest of the shard that its settings name."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from devices.instants import to_datetime
from devices.kinds import load
from nabd.settings import Settings, environment
from nabd.supervisor import Child, Supervisor
from rules.catalogue import catalogue
from rules.loading.files import default_packs
from tests.integration.rules.town import MINUTE, add_device
from tests.waiting import eventually, now


async def test_device_of_another_shard_is_silent_though_main_never_ran(
    tmp_path: Path, dsn: str, connection: asyncpg.Connection
) -> None:
    device = await add_device(connection, "B-1")
    hour_ago = to_datetime(now() - 60 * MINUTE)
    await catalogue.apply(connection, default_packs(load()), now())
    await connection.execute(
        "INSERT INTO latest VALUES ($1, $2, $2, 600, 0, '{}')",
        device,
        hour_ago,
    )
    # Alive for as long as this test may take: nobody receives anything meanwhile. Main owns nothing.
    await connection.execute(
        "INSERT INTO shard (name, alive_at, caught_up_at) VALUES ('east', $1, $2)",
        to_datetime(now() + 60 * MINUTE),
        hour_ago,
    )
    await connection.execute("UPDATE municipality SET shard = 'east'")
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        database=dsn,
        data_dir=tmp_path,
    )
    child = Child(name="sweep", arguments=["sweep"], log=tmp_path / "sweep.log")

    async def silent() -> object:
        return await connection.fetchval("SELECT rule FROM alert WHERE device_id = $1", device)

    async with Supervisor(environment(settings)) as supervisor:
        await supervisor.start(child)
        assert await eventually(silent) == "silent"
