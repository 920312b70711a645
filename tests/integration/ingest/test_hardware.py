"""A bin's hardware is replaced while ingest runs: its place goes on, the old hardware is refused."""

from __future__ import annotations

import asyncio

import msgspec

from devices.registry.hardware import replace_hardware
from store.audit import PLATFORM
from tests.integration.ingest.conftest import Town
from tests.waiting import now


async def test_place_goes_on_with_other_hardware_and_the_old_one_is_refused(town: Town) -> None:
    await town.start()
    at = now() // 1000
    wrong = at + 30 * 60 * 1000
    await town.publish(
        ("nabd/v1/tripoli/bin/b1/telemetry", {"ts": wrong, "boot": 9, "seq": 5, "fill_pct": 40})
    )
    await town.received(1)
    await replace_hardware(town.connection, "b1", "SN-2", wire_name="n7", now=now, by=PLATFORM)

    new = "nabd/v1/tripoli/bin/n7/telemetry"
    async with town.client("n7") as client:
        await client.subscribe("nabd/v1/tripoli/bin/n7/receipt", qos=1)
        await town.publish((new, {"ts": at + 1, "boot": 1, "seq": 0, "fill_pct": 41}))
        receipt = await asyncio.wait_for(anext(aiter(client.messages)), 15)
    await town.publish(("nabd/v1/tripoli/bin/b1/telemetry", {"ts": at + 2, "fill_pct": 99}))
    sums = await town.received(3)

    assert (sums["stored"], sums["rejected"]) == (2, 1)
    assert {(row["name"], row["fill_pct"]) for row in await town.readings()} == {("b1", 40), ("b1", 41)}
    assert isinstance(receipt.payload, bytes)
    assert msgspec.json.decode(receipt.payload)["device"] == "n7"
    assert await town.connection.fetchval("SELECT detail FROM rejection") == await town.connection.fetchval(
        "SELECT 'replaced: it was taken from b1 at ' || rtrim(to_char("
        "removed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0') || 'Z'"
        " FROM hardware WHERE removed_at IS NOT NULL"
    )
