"""Maintenance, retirement and adoption: what happens around readings, on a real database."""

from __future__ import annotations

import asyncpg
import pytest

from alerts.events import events_after
from alerts.orphans import end_orphans
from alerts.queue import list_alerts
from devices.columns import Columns
from devices.instants import to_datetime
from devices.registry.device import Device
from devices.registry.loading import LoadedDevices
from devices.registry.registry import load
from rules.catalogue import catalogue
from rules.live.consumer import LiveRules
from rules.loading.files import parse
from rules.maintenance import spans
from rules.sweeps.leader import sweep_once
from tests.actors import actor
from tests.databases import now as wall_clock
from tests.integration.rules.ingestion import KINDS, Ingestion, bins
from tests.integration.rules.town import MINUTE, add_device

START = wall_clock() - 6 * 3600 * 1_000_000
SENTENCES = 'summary: {en: "{device}", fr: "{device}", ar: "{device}"}'
OVERFLOW = f"""
- id: overflow
  kind: bin
  {SENTENCES}
  levels: {{warning: fill_pct >= 85}}
  for: 2 readings
"""


async def put(connection: asyncpg.Connection, text: str = OVERFLOW) -> None:
    await catalogue.apply(connection, parse(text, KINDS), START)


def fill(device: int, minute: int, pct: float, received_minute: float | None = None) -> Columns:
    received = minute if received_minute is None else received_minute
    return bins([(device, START + minute * MINUTE, {"fill_pct": pct})], round(START + received * MINUTE))


@pytest.fixture
async def device(connection: asyncpg.Connection) -> int:
    return await add_device(connection, "B-1")


async def plan(connection: asyncpg.Connection, start: int, end: int, **where: int) -> int:
    return await spans.plan(
        connection,
        from_at=to_datetime(START + start * MINUTE),
        until_at=to_datetime(START + end * MINUTE),
        reason="washing",
        by=await actor(connection, "omar"),
        now=START,
        **where,
    )


async def test_rules_do_not_look_while_a_device_is_maintained(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection)
    await plan(connection, 0, 30, device_id=device)
    ingestion = await Ingestion(connection).start()
    for minute in (0, 10, 20):
        await ingestion.commit(fill(device, minute, 90))
    assert await events_after(connection) == []

    await ingestion.commit(fill(device, 30, 90))
    await ingestion.commit(fill(device, 40, 90))

    (alert,) = await list_alerts(connection)
    assert alert.opened_at == to_datetime(START + 40 * MINUTE)


async def test_window_of_a_municipality_or_of_what_a_device_hangs_on_covers_it(
    connection: asyncpg.Connection, device: int
) -> None:
    cabinet = await add_device(connection, "CAB-1", kind="cabinet")
    other = await add_device(connection, "B-2")
    await connection.execute("UPDATE device SET parent_id = $1 WHERE id = $2", cabinet, device)
    await plan(connection, 0, 10, device_id=cabinet)
    town = await connection.fetchval("SELECT id FROM municipality")
    await plan(connection, 20, 30, municipality_id=town)

    found = await spans.spans(connection, await load(connection))

    assert [(a - START) // MINUTE for a, _ in found[device]] == [0, 20]
    assert [(a - START) // MINUTE for a, _ in found[other]] == [20]


async def test_windows_look_at_no_device_but_those_below_one_that_has_a_window(
    connection: asyncpg.Connection, device: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cabinet = await add_device(connection, "CAB-1", kind="cabinet")
    gateway = await add_device(connection, "GW-1", kind="gateway")
    relayed, fed, apart = [await add_device(connection, name) for name in ("B-2", "B-3", "B-4")]
    await connection.execute("UPDATE device SET parent_id = $1 WHERE id = $2", cabinet, gateway)
    await connection.execute("UPDATE device SET parent_id = $1 WHERE id = $2", relayed, fed)
    await connection.execute("INSERT INTO relay (device_id, gateway_id) VALUES ($1, $2)", relayed, gateway)
    town = await connection.fetchval("SELECT id FROM municipality")
    await plan(connection, 0, 10, municipality_id=town)
    await plan(connection, 20, 30, device_id=cabinet)
    registry, built, at = await load(connection), set[str](), LoadedDevices.at

    def watched(devices: LoadedDevices, row: int) -> Device:
        found = at(devices, row)
        built.add(found.name)
        return found

    monkeypatch.setattr(LoadedDevices, "at", watched)
    found = await spans.spans(connection, registry)

    assert built == {"CAB-1", "GW-1", "B-2", "B-3"}
    starts = {one: [(a - START) // MINUTE for a, _ in own] for one, own in found.items()}
    both = {one: [0, 20] for one in (cabinet, gateway, relayed, fed)}
    assert starts == {device: [0], apart: [0], **both}


async def test_open_alert_ends_with_the_reason_when_its_device_is_retired(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fill(device, 0, 90))
    await ingestion.commit(fill(device, 10, 90))
    await connection.execute(
        "UPDATE device SET retired_at = $1, retired_reason = 'sold'", to_datetime(START + 20 * MINUTE)
    )

    assert await sweep_once(connection, KINDS, START + 30 * MINUTE) == 1
    assert await end_orphans(connection, START + 40 * MINUTE) == 0

    last = (await events_after(connection))[-1]
    assert (str(last.type), last.observed_at) == ("resolved", to_datetime(START + 20 * MINUTE))
    assert last.evidence == {"condition": "the device was retired", "reason": "sold"}


async def test_open_alert_ends_when_its_rule_is_withdrawn(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fill(device, 0, 90))
    await ingestion.commit(fill(device, 10, 90))
    await catalogue.apply(connection, [], START, remove_others=True)

    assert await end_orphans(connection, START + 30 * MINUTE) == 1

    assert [a.state for a in await list_alerts(connection)] == ["resolved"]


async def test_state_of_adopted_readings_survives_a_restart(
    connection: asyncpg.Connection, device: int
) -> None:
    """Readings from quarantine keep the time they were received at first, before the last checkpoint."""
    await put(connection)
    stranger = await add_device(connection, "B-9")
    rules = LiveRules(KINDS, checkpoint_every_us=1000 * MINUTE)
    ingestion = await Ingestion(connection, rules).start()
    await ingestion.commit(fill(device, 0, 10))
    await ingestion.commit(fill(device, 20, 10))
    await ingestion.commit(fill(stranger, 10, 90, received_minute=-5))

    ingestion = await Ingestion(connection, LiveRules(KINDS)).start()
    await ingestion.commit(fill(stranger, 20, 90, received_minute=25))

    (alert,) = await list_alerts(connection)
    assert alert.opened_at == to_datetime(START + 20 * MINUTE)
