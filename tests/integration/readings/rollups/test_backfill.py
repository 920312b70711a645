"""Rollups of readings that are older than rollups, and of towns whose clock was changed."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import asyncpg
import pytest

from devices.instants import to_datetime
from nabd import rollups
from readings.rollups import backfill, roll_up, storing
from store.pool import connect
from tests.integration.readings.rollups.scene import KINDS, Scene, make_scene
from tests.unit.readings.rollups.streams import HOUR, START, Said

BIN = KINDS["bin"]


@pytest.fixture
async def scene(connection: asyncpg.Connection) -> Scene:
    """A bin, plain edition, with readings of two weeks that nothing has marked."""
    scene = await make_scene(connection)
    said = [
        Said(device=scene.ids["b1"], at=START - n * HOUR // 6, values={"fill_pct": float(n % 90)})
        for n in range(14 * 24 * 6)
    ]
    await scene.store(BIN, said)
    await connection.execute("DELETE FROM rollup_mark")
    return scene


async def turn(connection: asyncpg.Connection) -> bool:
    return await rollups.turn(connection, list(KINDS.values()), lambda: START)


async def test_older_readings_get_their_hours_backwards_and_can_be_interrupted(
    scene: Scene, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await turn(scene.connection)
    (bins,) = [one for one in await backfill.progress(scene.connection) if one.kind == "bin"]
    assert 0.2 < bins.share < 0.8
    newest = await scene.connection.fetchval("SELECT max(at) FROM bin_hour")
    assert newest == to_datetime(START // HOUR * HOUR)

    # Killed in a piece, and begun anew by another process.
    with monkeypatch.context() as patch:
        patch.setattr(storing, "store_days", _killed)
        with pytest.raises(ConnectionResetError):
            await turn(scene.connection)
    other = await connect(dsn)
    while await turn(other):
        pass
    await other.close()

    assert {one.share for one in await backfill.progress(scene.connection)} == {1.0}
    count = await scene.connection.fetchval("SELECT sum(readings) FROM bin_day")
    assert count == await scene.connection.fetchval("SELECT count(*) FROM bin_reading") == 14 * 24 * 6
    assert await scene.connection.fetchval("SELECT count(*) FROM bin_hour WHERE readings = 6") > 300


async def _killed(*_: object) -> None:
    raise ConnectionResetError


async def test_days_are_made_anew_when_a_municipality_changes_its_clock(scene: Scene) -> None:
    while await turn(scene.connection):
        pass
    before = await scene.rows("bin_day")
    await scene.connection.execute("UPDATE municipality SET time_zone = 'Asia/Dubai'")

    while await turn(scene.connection):
        pass

    after = await scene.rows("bin_day")
    assert [day["day"] for day in after] == [day["day"] for day in before]
    assert {day["at"].hour for day in before[1:]} == {21}
    assert {day["at"].hour for day in after[1:]} == {20}
    assert sum(day["readings"] for day in after) == sum(day["readings"] for day in before)
    assert all(b["at"] - a["at"] == timedelta(days=1) for a, b in pairwise(after))


async def test_only_one_process_changes_rollups_at_a_time(scene: Scene, dsn: str) -> None:
    other = await connect(dsn)
    async with other.transaction():
        assert await roll_up.is_our_turn(other)
        await scene.store(BIN, [Said(device=scene.ids["b1"], at=START + HOUR, values={"fill_pct": 1.0})])

        assert not await turn(scene.connection)
        assert await roll_up.roll_up(scene.connection, BIN) == 0

    assert await roll_up.roll_up(scene.connection, BIN) == 1
    await other.close()
