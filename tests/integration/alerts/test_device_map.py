"""What the map asks of a city, by its plan."""

from __future__ import annotations

import asyncpg

from alerts.overview.device_map import _CELLS, _DEVICES
from alerts.overview.standing import DeviceFilter, arguments
from store.pool import plan_by_values
from tests.integration.api import builders

# Ten thousand lamps on a grid of 0.1 degrees a side, and what is seen of it: a hundredth of that.
_GRID = """
INSERT INTO device (name, kind, municipality_id, lat, lon, installed_at)
SELECT 'lamp-' || n, 'light', m.id, 34.4 + n / 100 * 0.001, 35.8 + n % 100 * 0.001, '2026-01-01'
FROM municipality AS m CROSS JOIN generate_series(0, 9999) AS n
"""
SEEN = (35.85, 34.45, 35.86, 34.46)


async def test_part_of_the_map_is_found_by_position_and_not_by_looking_at_every_device(
    connection: asyncpg.Connection,
) -> None:
    await builders.add_town(connection)
    await connection.execute(_GRID)
    await connection.execute("ANALYZE device")
    await plan_by_values(connection)
    given = arguments(builders.KINDS, DeviceFilter(kinds=["light"]))

    for statement, rest in ((_DEVICES, (500,)), (_CELLS, (0.01, 0.01))):
        plan = await connection.fetch(f"EXPLAIN (COSTS off) {statement}", *given, *SEEN, *rest)

        said = "\n".join(row[0] for row in plan)
        assert "device_position" in said, said
        assert "Seq Scan on device d\n" not in said.split("mover")[0], said
