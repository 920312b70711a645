"""Readings that come in parts, where a device's do: on both editions, and through a real broker."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from devices.kinds.kind import MERGE, UNCONFIRMED
from devices.registry.registration import NewDevice, add_devices
from ingest.commit.settled import Settled
from readings.rollups.marks import RollupMarks
from store.audit import PLATFORM
from tests.integration.ingest.conftest import Town
from tests.integration.ingest.editions import KINDS, NOW, Edition
from tests.waiting import now

AT = NOW // 1000 - 3_600_000
GEOMETRY = {"install_height_mm": 1200, "usable_depth_mm": 1000}
OF_LINK = {"rssi_dbm", "snr_db"}


async def merging(edition: Edition, *names: str, **attributes: Any) -> None:
    new = [
        NewDevice(name=n, kind="bin", municipality="tripoli", attributes={MERGE: True, **attributes})
        for n in names
    ]
    await add_devices(edition.connection, KINDS, new, lambda: NOW, by=PLATFORM)


async def rows(edition: Edition, device: str) -> list[dict[str, Any]]:
    found = await edition.connection.fetch(
        "SELECT r.* FROM bin_reading AS r INNER JOIN device AS d ON d.id = r.device_id"
        " WHERE d.name = $1 ORDER BY r.observed_at",
        device,
    )
    return [dict(row) for row in found]


async def ledger(edition: Edition) -> tuple[int, ...]:
    return tuple(
        await edition.connection.fetchrow(
            "SELECT sum(received), sum(stored), sum(merged), sum(duplicate), sum(rejected) FROM ledger"
        )
        or ()
    )


def reasons(settled: Settled) -> list[str]:
    return [r.rejected.reason for r in settled.refused]


async def test_a_later_part_fills_what_is_absent_and_has_no_row_of_its_own(edition: Edition) -> None:
    await merging(edition, "b2")
    await edition.receive({"ts": AT, "fill_pct": 40, "rssi_dbm": -90, "note": 1}, device="b2")

    await edition.receive({"ts": AT, "temperature_c": 21, "rssi_dbm": -99, "more": 2}, device="b2")

    (row,) = await rows(edition, "b2")
    assert (row["fill_pct"], row["temperature_c"], row["rssi_dbm"]) == (40, 21, -90)
    assert row["extra"] == {"note": 1, "more": 2}
    assert await ledger(edition) == (2, 1, 1, 0, 0)
    assert await edition.connection.fetchval("SELECT sum(merged) FROM v_ledger") == 1
    outcomes = await edition.connection.fetch("SELECT device, outcome, readings FROM ledger_device")
    assert [tuple(row) for row in outcomes] == [("b2", "merged", 1)]


async def test_parts_of_one_batch_and_a_part_of_what_is_stored_end_in_one_row(edition: Edition) -> None:
    await merging(edition, "b2")

    await edition.receive({"ts": AT, "fill_pct": 40}, {"ts": AT, "temperature_c": 21}, device="b2")
    await edition.receive({"ts": AT, "tilt_deg": 1}, {"ts": AT, "battery_v": 3.5}, device="b2")

    (row,) = await rows(edition, "b2")
    told = [row[name] for name in ("fill_pct", "temperature_c", "tilt_deg", "battery_v")]
    assert told == [40, 21, 1, 3.5]
    assert await ledger(edition) == (4, 1, 3, 0, 0)


async def test_a_part_that_contradicts_is_a_conflict_and_fills_nothing(edition: Edition) -> None:
    await merging(edition, "b2")
    await edition.receive({"ts": AT, "boot": 1, "seq": 1, "fill_pct": 40}, device="b2")

    settled = await edition.receive(
        {"ts": AT, "boot": 1, "seq": 2, "fill_pct": 41, "temperature_c": 21},
        {"ts": AT, "boot": 1, "seq": 3, "battery_v": 3.5},
        device="b2",
    )

    assert reasons(settled) == ["conflict"]
    (row,) = await rows(edition, "b2")
    assert (row["fill_pct"], row["temperature_c"], row["battery_v"]) == (40, None, 3.5)
    assert await ledger(edition) == (3, 1, 1, 0, 1)


async def test_a_part_that_comes_again_is_a_duplicate(edition: Edition) -> None:
    await merging(edition, "b2")
    parts = [{"ts": AT, "fill_pct": 40}, {"ts": AT, "temperature_c": 21}]
    await edition.receive(*parts, device="b2")

    settled = await edition.receive(*parts, parts[1], device="b2")

    assert sum(map(len, settled.duplicates)) == 3
    assert await ledger(edition) == (5, 1, 1, 3, 0)


async def test_without_the_attribute_another_part_is_a_conflict(edition: Edition) -> None:
    await edition.receive({"ts": AT, "fill_pct": 40})

    settled = await edition.receive({"ts": AT, "temperature_c": 21})

    assert reasons(settled) == ["conflict"]
    assert await ledger(edition) == (2, 1, 0, 0, 1)


async def test_a_part_fills_a_reading_in_a_compressed_chunk(edition: Edition) -> None:
    await merging(edition, "b2")
    await edition.receive(*({"ts": AT + i * 1000, "fill_pct": 40} for i in range(50)), device="b2")
    if await edition.connection.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"):
        await edition.connection.execute("SELECT compress_chunk(c) FROM show_chunks('bin_reading') AS c")

    settled = await edition.receive({"ts": AT + 7000, "temperature_c": 21}, device="b2")

    assert not settled.refused
    filled = [row["temperature_c"] for row in await rows(edition, "b2")]
    assert filled == [21 if i == 7 else None for i in range(50)]


async def test_what_is_derived_gives_way_to_what_a_part_reports(edition: Edition) -> None:
    await merging(edition, "b2", "b3", **GEOMETRY)
    for device, order in (("b2", 1), ("b3", -1)):
        parts = [{"ts": AT, "distance_mm": 700}, {"ts": AT, "fill_pct": 60}][::order]
        for part in parts:
            await edition.receive(part, device=device)

    ((one,), (other,)) = [await rows(edition, device) for device in ("b2", "b3")]
    assert (one["distance_mm"], one["fill_pct"]) == (other["distance_mm"], other["fill_pct"]) == (700, 60)


async def test_a_fire_in_the_second_part_alarms(edition: Edition) -> None:
    await merging(edition, "b2")
    await edition.receive({"ts": AT, "fill_pct": 40}, {"ts": AT, "temperature_c": 22}, device="b2")
    await edition.receive({"ts": AT + 600_000, "fill_pct": 40}, device="b2")

    await edition.receive({"ts": AT + 600_000, "temperature_c": 78}, device="b2")

    alerts = await edition.connection.fetch("SELECT rule, state FROM alert")
    assert [tuple(row) for row in alerts] == [("bin-fire", "firing")]


async def test_the_hour_of_a_reading_that_is_filled_is_rolled_up_again(edition: Edition) -> None:
    await merging(edition, "b2")
    await edition.receive({"ts": AT, "fill_pct": 40}, device="b2")
    edition.pipeline.context.consumers = [RollupMarks()]

    await edition.receive({"ts": AT, "temperature_c": 22}, device="b2")

    marks = await edition.connection.fetch("SELECT kind, first_us, last_us FROM rollup_mark")
    assert [tuple(row) for row in marks] == [("bin", [AT * 1000], [AT * 1000])]


async def test_the_newest_values_have_every_part(edition: Edition) -> None:
    await merging(edition, "b2")
    await edition.receive({"ts": AT, "fill_pct": 40}, device="b2")
    await edition.receive({"ts": AT, "temperature_c": 22}, device="b2")

    await edition.receive({"ts": AT, "fill_pct": 1})

    newest = await edition.connection.fetchval(
        "SELECT l.measurements FROM latest AS l INNER JOIN device AS d ON d.id = l.device_id"
        " WHERE d.name = 'b2'"
    )
    assert newest == {"fill_pct": 40, "temperature_c": 22}


CHOICES: Mapping[str, Sequence[Any]] = {
    "fill_pct": (10, 120),
    "temperature_c": (20, 21),
    "distance_mm": (600, 700),
    "battery_v": (3.5, 3.6),
    "tilt_deg": (0, 2),
    "lid_open": (True, False),
    "rssi_dbm": (-90, -95),
    "note": ("x", "y"),
}


def _parts(chance: random.Random, *, agree: bool) -> list[dict[str, Any]]:
    """Return parts of one reading; those that agree say the same wherever they say the same thing."""
    whole = {name: chance.choice(values) for name, values in CHOICES.items()}
    parts = []
    for _ in range(chance.randint(1, 4)):
        names = chance.sample(sorted(CHOICES), chance.randint(1, 4))
        parts.append(
            {n: whole[n] if agree or chance.random() < 0.8 else chance.choice(CHOICES[n]) for n in names}
        )
    return parts


def _told(parts: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """The oracle: what one reading becomes by its parts in order, and what becomes of each."""
    stored: dict[str, Any] | None = None
    outcomes = []
    for part in parts:
        if stored is None:
            stored = dict(part)
            outcomes.append("stored")
        elif any(stored.get(n, v) != v for n, v in part.items() if n not in OF_LINK | {"note"}):
            outcomes.append("rejected")
        elif part.keys() <= stored.keys():
            outcomes.append("duplicate")
        else:
            stored = {**part, **stored}
            outcomes.append("merged")
    assert stored is not None
    if "fill_pct" not in stored and "distance_mm" in stored:
        stored["fill_pct"] = (1200 - stored["distance_mm"]) / 10
    return stored, outcomes


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: row[name] for name in CHOICES if name != "note" and row[name] is not None}
    return values | (row["extra"] or {})


@pytest.mark.parametrize("seed", range(3))
async def test_readings_are_what_their_parts_say_in_order(edition: Edition, seed: int) -> None:
    chance = random.Random(seed)
    await merging(edition, "b2", **GEOMETRY)
    readings = [_parts(chance, agree=False) for _ in range(60)]
    # Shuffled, but the parts of each reading stay in their order.
    turns = [i for i, parts in enumerate(readings) for _ in parts]
    chance.shuffle(turns)
    waiting = [iter(parts) for parts in readings]
    messages = [{"ts": AT + i * 1000, **next(waiting[i])} for i in turns]
    for start in range(0, len(messages), 37):
        await edition.receive(*messages[start : start + 37], device="b2")

    told = [_told(parts) for parts in readings]
    assert [_row(row) for row in await rows(edition, "b2")] == [stored for stored, _ in told]
    outcomes = [outcome for _, every in told for outcome in every]
    counted = [outcomes.count(o) for o in ("stored", "merged", "duplicate", "rejected")]
    assert await ledger(edition) == (len(outcomes), *counted)


async def test_parts_that_agree_end_in_the_same_row_in_any_order(edition: Edition) -> None:
    chance = random.Random(7)
    await merging(edition, "b2", "b3", **GEOMETRY)
    readings = [_parts(chance, agree=True) for _ in range(60)]
    sent = [{"ts": AT + i * 1000, **part} for i, parts in enumerate(readings) for part in parts]
    for device in ("b2", "b3"):
        for start in range(0, len(sent), 29):
            await edition.receive(*sent[start : start + 29], device=device)
        chance.shuffle(sent)

    found = [await rows(edition, device) for device in ("b2", "b3")]
    same = [[(_row(row), row["quality"] & ~UNCONFIRMED) for row in every] for every in found]
    assert same[0] == same[1]
    assert any(quality for _, quality in same[0])


async def test_receipts_list_parts_that_were_merged(town: Town) -> None:
    await add_devices(
        town.connection,
        KINDS,
        [NewDevice(name="b7", kind="bin", municipality="tripoli", attributes={MERGE: True})],
        now,
        by=PLATFORM,
    )
    await town.start()
    at = now() // 1000
    async with town.client("b7") as client:
        await client.subscribe("nabd/v1/tripoli/bin/b7/receipt", qos=1)
        for seq, values in enumerate(({"fill_pct": 1}, {"temperature_c": 20}), start=1):
            payload = json.dumps({"ts": at, "boot": 1, "seq": seq, **values})
            await client.publish("nabd/v1/tripoli/bin/b7/telemetry", payload, qos=1)
        settled: set[int] = set()
        async for message in client.messages:
            told = json.loads(message.payload)
            settled |= {n for low, high in told["seq"] for n in range(low, high + 1)}
            if settled == {1, 2}:
                break

    (row,) = await town.readings()
    assert (row["fill_pct"], row["temperature_c"], row["seq"]) == (1, 20, 1)
