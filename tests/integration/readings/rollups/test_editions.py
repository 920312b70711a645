"""Both editions give the same answers through the same views: the same readings, query by query."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from devices.instants import to_datetime
from nabd import rollups
from readings.rollups.buckets import buckets
from store.pool import connect
from tests.integration.readings.rollups.scene import KINDS, Scene, make_scene
from tests.integration.readings.rollups.test_roll_up import like, nights
from tests.unit.readings.rollups.streams import HOUR, MINUTE, START, Said

LIGHT, BIN = KINDS["light"], KINDS["bin"]

QUERIES = {
    "hours": "SELECT * FROM v_light_hour ORDER BY device, at",
    "days": "SELECT * FROM v_light_day ORDER BY device, at",
    "bins": "SELECT * FROM v_bin_hour ORDER BY device, at",
    "energy by night": (
        "SELECT (at AT TIME ZONE 'Asia/Beirut' - INTERVAL '12 hours')::date AS night, sum(energy_kwh_grown)"
        " FROM v_light_hour GROUP BY 1 ORDER BY 1"
    ),
    "completeness": (
        "SELECT day, sum(readings) AS readings, round(sum(expected)::numeric, 3) AS expected"
        " FROM v_light_day GROUP BY 1 ORDER BY 1"
    ),
    "counters": "SELECT device, observed_at AS at, counter, grown FROM v_light_counters ORDER BY 1, 2, 3",
}


@pytest.fixture
async def scenes(dsn: str, timescale_dsn: str) -> AsyncIterator[list[Scene]]:
    """The same town on both editions."""
    found = []
    for address in (dsn, timescale_dsn):
        connection = await connect(address, statement_timeout_s=0)
        await connection.execute("TRUNCATE municipality, device CASCADE")
        await connection.execute("ALTER SEQUENCE device_id_seq RESTART")
        found.append(await make_scene(connection))
    yield found
    for scene in found:
        await scene.connection.close()


async def test_editions_answer_alike(scenes: list[Scene]) -> None:
    answers = [await _story(scene) for scene in scenes]

    plain, timescale = answers
    assert plain.keys() == timescale.keys()
    for name, rows in plain.items():
        assert len(rows) == len(timescale[name]) > 0, name
        for one, other in zip(rows, timescale[name], strict=True):
            assert like(one) == pytest.approx(like(other)), name


async def _story(scene: Scene) -> dict[str, list[dict[str, Any]]]:
    """Return what each query says after readings came in order, late, marked and into what is compressed."""
    random, bin_ = Random(7), scene.ids["b1"]
    said = [one for name in ("l1", "l2") for one in nights(random, scene.ids[name])[:60]]
    late = said[5::9]
    await scene.store(LIGHT, [one for one in said if one not in late])
    await scene.store(
        BIN,
        [
            Said(
                device=bin_,
                at=START - n * 10 * MINUTE,
                values={"fill_pct": n % 7, "lid_open": n % 2},
            )
            for n in range(30)
        ],
    )
    await _turns(scene)
    if await scene.connection.fetchval("SELECT edition FROM nabd_schema") == "timescale":
        for table in ("light_reading", "light_hour", "light_day"):
            await scene.connection.execute(f"SELECT compress_chunk(c) FROM show_chunks('{table}') AS c")
    await scene.store(LIGHT, late)
    await _turns(scene)
    found = {name: await scene.connection.fetch(query) for name, query in QUERIES.items()}
    answers = {name: [dict(row) for row in rows] for name, rows in found.items()}
    for unit in ("hour", "day"):
        days = await buckets(
            scene.connection,
            LIGHT,
            scene.ids["l1"],
            measurements=["energy_kwh", "power_w"],
            start=to_datetime(START - 60 * HOUR),
            end=to_datetime(START),
            unit=unit,
            time_zone="Asia/Beirut",
        )
        answers[unit] = [{"at": b.at, "grown": b.values["energy_kwh"].grown} for b in days]
    return answers


async def _turns(scene: Scene) -> None:
    while await rollups.turn(scene.connection, [LIGHT, BIN], lambda: START):
        pass
