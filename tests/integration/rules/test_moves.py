"""A device that moves to another municipality: what happened stays where it happened."""

from __future__ import annotations

import asyncpg

from alerts.events import events_after
from alerts.orphans import end_orphans
from alerts.queue import list_alerts
from devices.instants import to_datetime
from devices.registry.editing import edit_device
from readings.balance import count_readings
from store.audit import PLATFORM
from tests.integration.rules.ingestion import KINDS, Ingestion
from tests.integration.rules.test_live import OVERFLOW, START, fills, put
from tests.integration.rules.town import MINUTE, add_device


async def test_alert_of_a_device_that_moved_stays_in_the_old_town_and_opens_anew_in_the_new(
    connection: asyncpg.Connection,
) -> None:
    device = await add_device(connection, "B-1")
    await connection.execute("INSERT INTO municipality (name) VALUES ('benghazi')")
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (0, 90), (10, 91)))
    await edit_device(
        connection, KINDS, "B-1", {"municipality": "benghazi"}, now=lambda: START + 15 * MINUTE, by=PLATFORM
    )

    assert await end_orphans(connection, START + 30 * MINUTE) == 1
    await ingestion.rules.reload(connection)
    await ingestion.commit(fills(device, (40, 92), (50, 93)))

    (ended,) = [e for e in await events_after(connection) if e.type == "resolved"]
    assert (ended.municipality, ended.observed_at) == ("tripoli", to_datetime(START + 15 * MINUTE))
    assert ended.evidence == {"condition": "the device moved to another municipality"}
    found = {a.municipality: a.state for a in await list_alerts(connection)}
    assert found == {"tripoli": "resolved", "benghazi": "firing"}
    assert {r["municipality"] for r in await connection.fetch("SELECT * FROM v_alert")} == set(found)
    rows = await connection.fetch("SELECT municipality, fill_pct FROM v_bin ORDER BY observed_at")
    assert [tuple(r) for r in rows] == [("tripoli", 90), ("tripoli", 91), ("benghazi", 92), ("benghazi", 93)]
    for town in ("tripoli", "benghazi"):
        id_ = await connection.fetchval("SELECT id FROM municipality WHERE name = $1", town)
        assert await count_readings(connection, KINDS, municipality_id=id_) == 2
    await edit_device(
        connection, KINDS, "B-1", {"municipality": "tripoli"}, now=lambda: START + 60 * MINUTE, by=PLATFORM
    )
    (third,) = await connection.fetch("SELECT DISTINCT municipality FROM v_bin WHERE fill_pct > 91")
    assert third["municipality"] == "benghazi"
