"""Calendar buckets are the same whichever table answers, and the cheapest one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from random import Random
from typing import Any

import asyncpg
import pytest

from devices.instants import to_datetime
from nabd import rollups
from readings.buckets.calendar import bucket_starts
from readings.buckets.raw_buckets import raw_buckets
from readings.buckets.summary import ReadingBucket
from readings.rollups import buckets as choosing
from readings.rollups.buckets import buckets
from readings.rollups.summaries import buckets_sql
from tests.integration.readings.rollups.scene import KINDS, Scene, make_scene
from tests.integration.readings.rollups.test_roll_up import nights
from tests.unit.readings.rollups.streams import HOUR, MINUTE, START, Said

LIGHT, DRONE = KINDS["light"], KINDS["drone"]
BEGAN = to_datetime(START - 70 * HOUR)
NAMES = ["energy_kwh", "power_w", "commanded_dim_pct"]


@pytest.fixture
async def scene(connection: asyncpg.Connection) -> Scene:
    """Two lights with three nights behind them, rolled up."""
    scene = await make_scene(connection)
    random = Random(4)
    await scene.store(LIGHT, [one for name in ("l1", "l2") for one in nights(random, scene.ids[name])])
    while await rollups.turn(connection, [LIGHT], lambda: START):
        pass
    return scene


def plain(found: Sequence[ReadingBucket]) -> list[dict[str, Any]]:
    """Return buckets as plain numbers."""
    return [
        {"at": str(bucket.at), "readings": bucket.readings}
        | {f"{name} {part}": value for name, s in bucket.values.items() for part, value in asdict(s).items()}
        for bucket in found
    ]


async def test_buckets_say_the_same_as_readings_do(scene: Scene) -> None:
    for unit in ("hour", "day"):
        for zone in ("Asia/Beirut", "UTC", "Asia/Kolkata"):
            await compare(scene, unit, zone)


async def test_buckets_hold_readings_that_are_not_rolled_up_yet(scene: Scene) -> None:
    late = Said(device=scene.ids["l1"], at=START - 31 * HOUR + 7, values={"power_w": 3000.0})
    await scene.store(LIGHT, [late])

    for unit in ("hour", "day"):
        found = await compare(scene, unit, "Asia/Beirut")
        assert max(bucket.values["power_w"].max or 0 for bucket in found) == 3000


async def compare(scene: Scene, unit: str, zone: str) -> list[ReadingBucket]:
    """Return the buckets of light l1, once they are found to be those of its readings."""
    device = scene.ids["l1"]
    start, end = BEGAN + timedelta(minutes=100), to_datetime(START - 5 * MINUTE)
    found = await buckets(
        scene.connection, LIGHT, device, measurements=NAMES, start=start, end=end, unit=unit, time_zone=zone
    )
    starts = bucket_starts(unit, start, end, zone)
    wanted = await raw_buckets(
        scene.connection, LIGHT, device, measurements=NAMES, start=start, end=end, starts=starts
    )
    assert len(found) == len(wanted)
    for one, other in zip(plain(found), plain(wanted), strict=True):
        assert one == pytest.approx(other)
    return found


async def test_history_answers_when_its_readings_are_gone(scene: Scene) -> None:
    await scene.connection.execute("TRUNCATE light_reading")
    start = (BEGAN - timedelta(days=3)).replace(hour=21, minute=0)

    async def ask(unit: str, zone: str) -> list[ReadingBucket]:
        return await buckets(
            scene.connection,
            LIGHT,
            scene.ids["l1"],
            measurements=NAMES,
            start=start,
            end=start + timedelta(days=10),
            unit=unit,
            time_zone=zone,
        )

    days, hours, elsewhere = (
        await ask("day", "Asia/Beirut"),
        await ask("hour", "UTC"),
        await ask("day", "UTC"),
    )

    assert len(days) >= 3
    assert sum(b.readings for b in days) == sum(b.readings for b in hours)
    # In UTC the first day has begun before `start`; nothing of it was said.
    assert sum(b.readings for b in elsewhere) == sum(b.readings for b in hours)


async def test_tables_answer_for_each_other_where_one_has_expired_before(scene: Scene) -> None:
    expired = to_datetime(START - 30 * HOUR)
    await scene.connection.execute("DELETE FROM light_hour WHERE at < $1", expired)
    await scene.connection.execute("DELETE FROM light_day WHERE at < $1", expired)
    for unit in ("hour", "day"):
        for zone in ("Asia/Beirut", "UTC"):
            await compare(scene, unit, zone)


async def test_days_of_a_device_that_moved_answer_where_hours_have_expired(scene: Scene) -> None:
    await scene.connection.execute("TRUNCATE light_reading, light_hour")
    await scene.connection.execute("UPDATE device SET moved_at = '2020-01-01Z'")
    start = (BEGAN - timedelta(days=3)).replace(hour=21, minute=0)
    end = start + timedelta(days=10)
    found = await buckets(
        scene.connection,
        LIGHT,
        scene.ids["l1"],
        measurements=NAMES,
        start=start,
        end=end,
        unit="day",
        time_zone="Asia/Beirut",
    )

    kept = await scene.connection.fetchval(
        "SELECT sum(readings) FROM light_day WHERE device_id = $1", scene.ids["l1"]
    )
    assert sum(bucket.readings for bucket in found) == kept > 0


async def test_directions_have_extremes_while_their_readings_are_there(scene: Scene) -> None:
    await scene.connection.execute("UPDATE device SET kind = 'drone' WHERE name = 'b1'")
    headings = [359.0, 1.0, 358.0, 4.0]
    said = [
        Said(device=scene.ids["b1"], at=START + n * MINUTE, values={"heading_deg": heading})
        for n, heading in enumerate(headings)
    ]
    await scene.store(DRONE, said)
    while await rollups.turn(scene.connection, [DRONE], lambda: START + HOUR):
        pass

    async def ask(span: timedelta) -> dict[str, Any]:
        (found,) = await buckets(
            scene.connection,
            DRONE,
            scene.ids["b1"],
            measurements=["heading_deg"],
            start=to_datetime(START),
            end=to_datetime(START) + span,
            unit="hour",
            time_zone="UTC",
        )
        return asdict(found.values["heading_deg"])

    short, long = await ask(timedelta(hours=2)), await ask(timedelta(days=40))

    assert (short["min"], short["max"]) == (358, 4)
    assert (long["min"], long["max"]) == (None, None)
    assert short["avg"] == pytest.approx(0.5, abs=0.01) == long["avg"]
    assert timedelta(days=40) > choosing.CIRCLES_AT_MOST


async def test_a_year_of_days_is_read_from_the_partitions_of_days_by_their_index(scene: Scene) -> None:
    starts = [to_datetime(START) - timedelta(days=n) for n in range(365, 0, -1)]
    statement = buckets_sql(LIGHT, "light_day", ["energy_kwh", "power_w"])
    await scene.connection.execute("ANALYZE light_day")
    await scene.connection.execute("SET enable_seqscan = off")

    rows = await scene.connection.fetch(
        f"EXPLAIN (COSTS off) {statement}", scene.ids["l1"], starts[0], to_datetime(START), starts
    )

    plan = "\n".join(row[0] for row in rows)
    assert "light_reading" not in plan
    assert "light_hour" not in plan
    assert "device_id_at" in plan
    assert plan.count("light_day_2") <= 2 * 3  # a year lies in two partitions, each named with its index
