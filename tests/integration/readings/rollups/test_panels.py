"""What panels ask of hours and days through their views: of whom rows are, and how they are read."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from devices.instants import to_datetime
from tests.integration.readings.rollups.scene import KINDS, Scene, make_scene
from tests.unit.readings.rollups.streams import HOUR, MINUTE, START, Said

LIGHT = KINDS["light"]


@pytest.fixture
async def scene(connection: asyncpg.Connection) -> Scene:
    """The devices, on the plain edition."""
    return await make_scene(connection)


_MOVES = """
WITH towns AS (
    INSERT INTO municipality (name) VALUES ('byblos'), ('saida') RETURNING id, name
), moves AS (
    INSERT INTO device_move (device_id, moved_at, municipality_id)
    SELECT $1::integer, $2::timestamptz, id FROM municipality WHERE name = 'tripoli'
    UNION ALL
    SELECT $1, $3, id FROM towns WHERE name = 'byblos'
)
UPDATE device SET moved_at = $3, municipality_id = (SELECT id FROM towns WHERE name = 'saida') WHERE id = $1
"""


async def test_hours_and_days_are_of_the_municipality_where_the_device_then_stood(scene: Scene) -> None:
    for name in ("l1", "l2"):
        said = [
            Said(device=scene.ids[name], at=START + n * 15 * MINUTE, values={"power_w": 5.0})
            for n in range(384)
        ]
        await scene.store(LIGHT, said)
    await scene.roll_up(LIGHT)
    first, second = to_datetime(START + 30 * HOUR), to_datetime(START + 60 * HOUR)
    await scene.connection.execute(_MOVES, scene.ids["l1"], first, second)

    for view in ("v_light_hour", "v_light_day"):
        rows = await scene.connection.fetch(
            f"SELECT device, at, municipality FROM {view} ORDER BY device, at"
        )

        stored = await scene.connection.fetchval(f"SELECT count(*) FROM {view.removeprefix('v_')}")
        assert len(rows) == stored
        for row in rows:
            moved = row["device"] == "l1" and row["at"] >= first
            wanted = ("saida" if row["at"] >= second else "byblos") if moved else "tripoli"
            assert row["municipality"] == wanted, row


_YEAR = """
WITH lamps AS (
    INSERT INTO device (name, kind, municipality_id)
    SELECT 'lamp-' || n, 'light', m.id FROM municipality AS m CROSS JOIN generate_series(1, 200) AS n
    RETURNING id
)
INSERT INTO light_day (device_id, at, day, readings, expected)
SELECT l.id, $1::timestamptz - n * INTERVAL '1 day', ($1::timestamptz - n * INTERVAL '1 day')::date, 96, 96
FROM lamps AS l CROSS JOIN generate_series(1, 365) AS n
"""


async def test_a_year_of_days_is_summed_by_parallel_workers(scene: Scene) -> None:
    now = to_datetime(START)
    await scene.connection.execute(_YEAR, now)
    await scene.connection.execute("ANALYZE")
    # A city has ten times as many; of these rows it is not worth while to begin.
    await scene.connection.execute("SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = '1MB'")

    plan = await scene.connection.fetch(
        "EXPLAIN (COSTS off) SELECT day, sum(readings) / sum(expected) FROM v_light_day"
        " WHERE at >= $1 AND at < $2 GROUP BY day ORDER BY day",
        now - timedelta(days=365),
        now,
    )

    said = "\n".join(row[0] for row in plan)
    assert "Partial HashAggregate" in said, said
    assert "Parallel Seq Scan on light_day" in said
