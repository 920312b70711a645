"""A kind gains a measurement: rollups gain its columns and fill them from its first reading on."""

from __future__ import annotations

from dataclasses import replace

import asyncpg

from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from readings.tables import tables_of
from store.audit import PLATFORM
from store.migrate import migrate
from tests.integration.readings.rollups.scene import Scene
from tests.unit.readings.rollups.streams import HOUR, METER, MINUTE, START, Said

BEFORE = replace(METER, measurements=tuple(m for m in METER.measurements if m.name != "open"))


async def test_hours_and_days_gain_what_their_kind_gains(connection: asyncpg.Connection) -> None:
    await migrate(connection, tables_of([BEFORE]), now=START)
    town = NewMunicipality(name="tripoli", title={"en": "Tripoli"}, time_zone="Asia/Beirut", locale="ar-LB")
    await add_municipality(connection, town, lambda: START, by=PLATFORM)
    new = [NewDevice(name="m1", kind="meter", municipality="tripoli")]
    await add_devices(connection, {"meter": METER}, new, lambda: START, by=PLATFORM)
    meter = await connection.fetchval("SELECT id FROM device WHERE name = 'm1'")
    scene = Scene(connection=connection)
    await scene.store(BEFORE, [Said(device=meter, at=START - 9 * HOUR, values={"load_w": 5.0})])
    await scene.roll_up(BEFORE)

    report = await migrate(connection, tables_of([METER]), now=START)
    said = [
        Said(device=meter, at=START + n * 10 * MINUTE, values={"load_w": 7.0, "open": n < 2})
        for n in range(4)
    ]
    await scene.store(METER, said)
    await scene.roll_up(METER)

    assert "meter_hour.open_seconds" in report.columns
    hours = await connection.fetch(
        "SELECT load_w_avg, open_seconds, open_count FROM v_meter_hour ORDER BY at"
    )
    assert [tuple(row) for row in hours] == [(5, None, None), (7, 1200, 4)]
    day = await connection.fetchrow("SELECT load_w_max, open_seconds, readings FROM v_meter_day")
    assert day is not None
    assert tuple(day) == (7, 1200, 5)
    view = await connection.prepare("SELECT * FROM v_meter_hour")
    assert view.get_attributes()[-1].name.startswith("open_")
