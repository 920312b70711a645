"""An alert is explained by what its device hangs on: the same when it opens before and after that alert."""

from __future__ import annotations

import asyncpg

from alerts.record import record
from alerts.suppression import settle
from tests.integration.alerts.test_record import describe, opened
from tests.integration.rules.town import MINUTE, NOON, add_device, add_rule


async def test_device_whose_gateways_are_down_for_two_reasons_is_explained_whenever_it_fell_silent(
    connection: asyncpg.Connection,
) -> None:
    for rule in ("silent", "alone", "gateway-down", "link-lost"):
        await add_rule(connection, rule)
    explaining = "UPDATE rule SET suppress_by = $2 WHERE id = $1"
    await connection.execute(explaining, "silent", ["gateway-down", "link-lost"])
    await connection.execute(explaining, "alone", ["gateway-down"])
    first, second = [await add_device(connection, name, "gateway") for name in ("GW-1", "GW-2")]
    early, late = [await add_device(connection, name) for name in ("B-1", "B-2")]
    pairs = [(device, gateway) for device in (early, late) for gateway in (first, second)]
    await connection.executemany("INSERT INTO relay VALUES ($1, $2)", pairs)

    before = [opened(early, 0, "silent"), opened(early, 0, "alone")]
    down = [opened(first, 1, "gateway-down"), opened(second, 1, "link-lost")]
    for batch in (before, down, [opened(late, 2, "silent"), opened(late, 2, "alone")]):
        await record(connection, batch, describe, NOON)
    await settle(connection, NOON + 3 * MINUTE)

    rows = await connection.fetch("SELECT rule, device_id, inhibited_by FROM alert")
    of = {(row["rule"], row["device_id"]): row["inhibited_by"] for row in rows}
    explained = await connection.fetchval("SELECT id FROM alert WHERE rule = 'gateway-down'")
    assert of["silent", early] == of["silent", late] == explained
    assert of["alone", early] is of["alone", late] is None
