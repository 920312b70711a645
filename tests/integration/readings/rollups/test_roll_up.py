"""Hours and days are what readings say, in whatever order these came and however often work began anew."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import numpy as np
import pytest

from devices.instants import to_datetime, to_microseconds
from readings.rollups import marks, storing
from tests.integration.readings.rollups.scene import KINDS, Scene, make_scene
from tests.unit.readings.rollups.streams import HOUR, MINUTE, START, Said

LIGHT = KINDS["light"]
BIN = KINDS["bin"]


@pytest.fixture
async def scene(connection: asyncpg.Connection) -> Scene:
    """Two lights and a bin, plain edition."""
    return await make_scene(connection)


def nights(random: Random, device: int) -> list[Said]:
    """Return what a light says in three days, some of it missing, marked, reset."""
    said, energy = [], 100.0
    at = START - 70 * HOUR
    while at < START:
        lit = (at // HOUR) % 24 in (17, 18, 19, 20, 21, 22, 23, 0, 1, 2)
        energy = 0.2 if random.random() < 0.02 else energy + 0.03 * lit
        values: dict[str, Any] = {
            "energy_kwh": energy,
            "commanded_dim_pct": 80.0 if lit else 0.0,
            "power_w": random.uniform(50, 60) if lit else 0.0,
        }
        values = {name: value for name, value in values.items() if random.random() < 0.9}
        marked = tuple(name for name in values if random.random() < 0.05)
        if random.random() < 0.95:
            said.append(Said(device=device, at=at, values=values, marked=marked))
        at += 15 * MINUTE if lit else 6 * HOUR
    return said


def like(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose instants and words do not hinder comparing its numbers."""
    return {n: str(v) if isinstance(v, datetime | date | dict) else v for n, v in row.items()}


async def test_hours_and_days_do_not_depend_on_the_order_in_which_readings_came(scene: Scene) -> None:
    random = Random(18)
    said = [one for name in ("l1", "l2") for one in nights(random, scene.ids[name])]
    await scene.store(LIGHT, said)
    await scene.roll_up(LIGHT)
    wanted = await scene.rows("light_hour"), await scene.rows("light_day")
    await scene.connection.execute("TRUNCATE light_reading, light_hour, light_day")
    random.shuffle(said)

    for n in range(0, len(said), 40):
        await scene.store(LIGHT, said[n : n + 40])
        await scene.roll_up(LIGHT)

    found = await scene.rows("light_hour"), await scene.rows("light_day")
    assert len(wanted[0]) > 60
    assert len(wanted[1]) == 8
    for some, others in zip(found, wanted, strict=True):
        for one, other in zip(some, others, strict=True):
            assert like(one) == pytest.approx(like(other))


async def test_day_holds_what_its_readings_say_by_the_clock_of_the_municipality(scene: Scene) -> None:
    # In Beirut summer time ends with 2026-10-24, whose last hour comes twice.
    begins = to_microseconds(datetime(2026, 10, 23, 21, tzinfo=UTC))
    said = [
        Said(device=scene.ids["b1"], at=begins + n * 10 * MINUTE, values={"fill_pct": float(n % 60)})
        for n in range(-6, 25 * 6 + 6)
    ]

    await scene.store(BIN, said)
    await scene.roll_up(BIN)

    (day,) = [row for row in await scene.rows("bin_day") if row["day"] == date(2026, 10, 24)]
    assert day["at"] == to_datetime(begins)
    assert day["readings"] == 150
    assert day["expected"] == pytest.approx(150)
    assert (day["fill_pct_min"], day["fill_pct_max"], day["fill_pct_last"]) == (0, 59, 29)
    assert day["fill_pct_covered"] == 25 * 3600


async def test_counter_grows_across_silence_and_late_readings_change_what_came_after(scene: Scene) -> None:
    light = scene.ids["l1"]
    await scene.store(LIGHT, [Said(device=light, at=START - 60 * HOUR, values={"energy_kwh": 10.0})])
    await scene.store(LIGHT, [Said(device=light, at=START, values={"energy_kwh": 16.0})])
    await scene.roll_up(LIGHT)
    assert [row["energy_kwh_grown"] for row in await scene.rows("light_hour")] == [None, 6]

    await scene.store(LIGHT, [Said(device=light, at=START - 30 * HOUR, values={"energy_kwh": 12.0})])
    await scene.roll_up(LIGHT)

    assert [row["energy_kwh_grown"] for row in await scene.rows("light_hour")] == [None, 2, 4]
    assert sum(row["energy_kwh_grown"] or 0 for row in await scene.rows("light_day")) == 6


async def test_marks_are_still_there_when_work_on_them_is_cut_off(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.store(BIN, [Said(device=scene.ids["b1"], at=START, values={"fill_pct": 5.0})])

    async def killed(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(storing, "store_days", killed)
        with pytest.raises(ConnectionResetError):
            await scene.roll_up(BIN)
    assert await marks.oldest_mark(scene.connection, KINDS) == to_datetime(START)
    assert await scene.rows("bin_hour") == []

    await scene.roll_up(BIN)

    none = np.zeros(0, dtype=np.int64)
    nothing = marks.Touched(device_id=none.astype(np.int32), first=none, last=none)
    await marks.mark(scene.connection, "gone", nothing, START)
    assert await marks.oldest_mark(scene.connection, KINDS) is None
    assert [row["readings"] for row in await scene.rows("bin_day")] == [1]


async def test_history_stays_when_its_readings_are_dropped_and_a_late_one_comes(scene: Scene) -> None:
    bin_ = scene.ids["b1"]
    said = [Said(device=bin_, at=START + n * 10 * MINUTE, values={"fill_pct": 5.0}) for n in range(6)]
    await scene.store(BIN, said)
    await scene.roll_up(BIN)
    before = await scene.rows("bin_hour")
    await scene.connection.execute("TRUNCATE bin_reading")

    await scene.store(BIN, [Said(device=bin_, at=START + MINUTE, values={"fill_pct": 90.0})])
    await scene.roll_up(BIN)

    assert await scene.rows("bin_hour") == before
    assert [row["readings"] for row in await scene.rows("bin_day")] == [6]


async def test_views_show_hours_and_days_by_name(scene: Scene) -> None:
    said = [
        Said(
            device=scene.ids["b1"],
            at=START + n * 10 * MINUTE,
            values={"fill_pct": 10.0 * n, "lid_open": n % 2},
        )
        for n in range(6)
    ]
    await scene.store(BIN, said)
    await scene.roll_up(BIN)

    row = await scene.connection.fetchrow("SELECT * FROM v_bin_hour")
    day = await scene.connection.fetchrow("SELECT * FROM v_bin_day")

    assert row is not None
    assert day is not None
    assert (row["device"], row["municipality"], row["district"]) == ("b1", "tripoli", None)
    assert (row["fill_pct_min"], row["fill_pct_max"], row["fill_pct_avg"]) == (0, 50, 25)
    assert (row["lid_open_min"], row["lid_open_max"], row["lid_open_avg"]) == (0, 1, 0.5)
    assert (row["lid_open_seconds"], row["lid_open_covered"]) == (1200, 3000)
    assert row["fill_pct_mean"] == 20
    assert day["day"] == (to_datetime(START) + timedelta(hours=3)).date()
