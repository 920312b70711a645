"""What a device does is learned from its readings, told to whoever waits for it, and written down."""

from __future__ import annotations

import asyncpg

from devices.kinds import load
from devices.registry import registry
from devices.registry.editing import edit_device
from ingest.commit.latest import LatestBuffer
from ingest.decide.directory import Directory
from readings import latest
from readings.rhythm import list_rhythms
from rules.catalogue import catalogue
from rules.loading.files import default_packs
from store.audit import PLATFORM
from tests.integration.rules.ingestion import Ingestion, bins
from tests.integration.rules.town import MINUTE, NOON, add_device

KINDS = load()
DAY = 1440 * MINUTE


async def test_daily_reporter_without_an_interval_is_learned_used_and_written_down(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    device = await add_device(connection, "B-1")
    ordinary = await add_device(connection, "B-2")
    ingestion = await Ingestion(connection).start()
    newest = LatestBuffer()

    for day in range(6):
        at = NOON + day * (DAY + 5_000_000)
        columns = bins([(device, at, {"fill_pct": 97.0}), (ordinary, NOON + day * 10 * MINUTE, {})], at)
        await ingestion.commit(columns)
        newest.add(columns)

    directory = Directory(await registry.load(connection), KINDS)
    await latest.flush(connection, newest.rows(directory))
    told = await latest.get_latest(connection, "B-1")
    assert told is not None
    assert 86_000 < told.interval_s < 130_000
    (daily, other) = await list_rhythms(connection, KINDS)
    assert (daily.gaps, daily.median_s, daily.p95_s, daily.learned_s) == (5, 86_405, 86_405, 86_405)
    assert (other.median_s, other.learned_s) == (600, None)
    assert await connection.fetchval("SELECT rule FROM alert WHERE device_id = $1", device) == "bin-overflow"

    await edit_device(
        connection,
        KINDS,
        "B-1",
        {"attributes": {"interval_s": daily.learned_s}},
        now=lambda: NOON,
        by=PLATFORM,
    )
    (entered, _) = await list_rhythms(connection, KINDS)
    assert (entered.interval_s, entered.learned_s) == (86_405, None)
