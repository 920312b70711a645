"""`nabd store status` on both editions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from typer.testing import CliRunner

from nabd.cli import app
from nabd.retention import keeping
from nabd.retention.classes import classes_of
from nabd.retention.standing import standing
from nabd.settings import Settings
from readings.tables import tables_of
from store.migrate import migrate
from store.pool import connect
from tests.databases import run
from tests.integration.api import builders
from tests.waiting import now

DAY = timedelta(days=1)


async def on(dsn: str, work: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    connection = await connect(dsn)
    try:
        await work(connection)
    finally:
        await connection.close()


@pytest.fixture
async def timescale(empty_timescale_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database of the timescale edition that was never migrated."""
    connection = await connect(empty_timescale_dsn, statement_timeout_s=0)
    yield connection
    await connection.close(timeout=5)


def test_status_shows_readings_classes_and_what_stays(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NABD_DATABASE", dsn)
    monkeypatch.setenv("NABD_KEEP_REJECTIONS_DAYS", "7")
    runner = CliRunner()

    async def grow(connection: asyncpg.Connection) -> None:
        device = await builders.add(connection, "bin-1")
        await builders.store(connection, device, [{"observed_at": builders.NOON, "fill_pct": 50.0}])
        await builders.reject(connection, "bin-9")
        await connection.execute("ANALYZE")

    async def enforce(connection: asyncpg.Connection) -> None:
        await keeping.enforce(connection, classes_of(Settings()), now, now)

    run(on(dsn, grow))
    before = runner.invoke(app, ["store", "status"])
    run(on(dsn, enforce))
    shown = runner.invoke(app, ["store", "status"])
    found = json.loads(runner.invoke(app, ["store", "status", "--json"]).stdout)

    assert "never looked: start nabd sweep" in before.stdout
    assert "never looked" not in shown.stdout
    assert found["edition"] == "plain"
    bins, hours, days = [one for one in found["readings"] if one["kind"] == "bin"]
    assert (bins["rows"], bins["keep_days"], bins["after_compression"]) == (1, 90, None)
    assert bins["oldest"] <= f"{builders.NOON:%Y-%m-%d}T12" < f"{builders.NOON + 7 * DAY:%Y-%m-%d}"
    assert [one["resolution"] for one in (bins, hours, days)] == ["reading", "hour", "day"]
    assert (hours["keep_days"], days["keep_days"]) == (731, 3653)
    (rejections,) = [one for one in found["classes"] if one["name"] == "rejections"]
    assert (rejections["rows"], rejections["keep_days"], rejections["removed"]) == (1, 7, 0)
    assert rejections["oldest"] is not None
    assert rejections["next_at"] > rejections["looked_at"]
    kept = {one["table"] for one in found["kept"]}
    assert {"work_order", "device", "person"} <= kept
    assert not kept & {"bin_reading", "rejection", "ledger"}


async def test_status_shows_what_compression_saves_on_timescale(timescale: asyncpg.Connection) -> None:
    await migrate(timescale, tables_of(builders.KINDS.values()), now=now())
    device = await builders.add(timescale, "bin-1")
    old = builders.NOON - 20 * DAY
    await timescale.execute(
        "INSERT INTO bin_reading (device_id, observed_at, received_at, quality, fill_pct)"
        " SELECT $1, $2::timestamptz + n * interval '1 minute', $2, 0, n % 100"
        " FROM generate_series(1, 500) AS n",
        device.id,
        old,
    )
    await timescale.execute("SELECT compress_chunk(c) FROM show_chunks('bin_reading') AS c")

    found = await standing(timescale, classes_of(Settings()), tables_of(builders.KINDS.values()))

    bins, *_ = [one for one in found.readings if one.kind == "bin"]
    assert bins.before_compression
    assert bins.after_compression
    assert bins.oldest is not None
    assert (bins.oldest <= old, bins.keep_days) == (True, 90)
    assert bins.bytes > 0
