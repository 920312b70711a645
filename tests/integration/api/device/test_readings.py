"""The readings of one device over HTTP."""

from __future__ import annotations

import codecs
import csv
import io
import json
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from api.routes import readings
from devices.kinds.kind import ValueType
from tests.integration.api import builders
from tests.integration.api.builders import NOON

SUSPECT_FILL = 1 << builders.KINDS["bin"].measurement("fill_pct").bit
RANGE = {"start": (NOON - timedelta(hours=6)).isoformat(), "end": (NOON + timedelta(hours=6)).isoformat()}


async def ask(client: httpx2.AsyncClient, **parameters: Any) -> dict[str, Any]:
    """Return the readings of bin-1 around noon."""
    answer = await client.get("/api/v1/devices/bin-1/readings", params={**RANGE, **parameters})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_raw_readings_come_oldest_first_with_suspect_values_flagged(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.store(
        connection,
        device,
        [
            {"observed_at": NOON + timedelta(minutes=1), "fill_pct": 180.0, "quality": SUSPECT_FILL},
            {"observed_at": NOON, "fill_pct": 50.0, "lid_open": True, "extra": {"firmware": "2.1"}},
        ],
    )

    found = await ask(client, measurements="fill_pct,lid_open")

    first, second = found["readings"]
    assert builders.instant(first["observed_at"]) == NOON
    assert first["measurements"] == {"fill_pct": 50.0, "lid_open": True}
    assert first["extra"] == {"firmware": "2.1"}
    assert first["suspect"] == []
    assert second["suspect"] == ["fill_pct"]
    assert found["units"] == {"fill_pct": "%", "lid_open": ""}


async def test_bucket_keeps_the_peak_and_leaves_suspect_values_out(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    values = [20.0, 90.0, 30.0]
    rows = [{"observed_at": NOON + timedelta(minutes=5 * i), "fill_pct": v} for i, v in enumerate(values)]
    rows.append({"observed_at": NOON + timedelta(minutes=30), "fill_pct": 999.0, "quality": SUSPECT_FILL})
    await builders.store(connection, device, rows)

    found = await ask(client, measurements="fill_pct", bucket="1h")

    (bucket,) = found["readings"]
    assert builders.instant(bucket["at"]) == NOON
    assert bucket["readings"] == 4
    summary = bucket["measurements"]["fill_pct"]
    assert summary == {"min": 20.0, "max": 90.0, "avg": pytest.approx(140 / 3), "count": 3, "last": 30.0}


async def test_points_keep_what_draws_the_line_and_nothing_that_is_no_reading(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    peak, suspect = NOON + timedelta(minutes=17), NOON + timedelta(minutes=31)
    at = [NOON + timedelta(minutes=i) for i in range(300)]
    values = {peak: (95.0, 0), suspect: (180.0, SUSPECT_FILL)}
    rows = [
        {"observed_at": t, "fill_pct": values.get(t, (20.0, 0))[0], "quality": values.get(t, (20.0, 0))[1]}
        for t in at
    ]
    await builders.store(connection, device, rows)

    found = await ask(client, measurements="fill_pct", points=10)
    whole = await ask(client, measurements="fill_pct", points=500)
    table = await client.get(
        "/api/v1/devices/bin-1/readings",
        params={**RANGE, "measurements": "fill_pct", "points": 10, "format": "csv"},
    )

    drawn = [builders.instant(one["observed_at"]) for one in found["readings"]]
    assert (drawn[0], drawn[-1], len(drawn)) == (at[0], at[-1], 10)
    assert set(drawn) <= set(at)
    assert peak in drawn
    assert suspect not in drawn
    assert len(whole["readings"]) == 299
    assert len(table.text.splitlines()) == 11


async def test_points_of_buckets_and_of_texts_are_refused(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "drone-1", kind="drone")
    text = next(m.name for m in builders.KINDS["drone"].measurements if m.type is ValueType.TEXT)

    answers = [
        await client.get("/api/v1/devices/drone-1/readings", params={**RANGE, "points": "10", **parameters})
        for parameters in ({"bucket": "1h"}, {"measurements": text}, {"points": "2"})
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert "width=" in answers[0].json()["detail"]
    assert "leave it out" in answers[1].json()["detail"]


async def test_buckets_know_circles_and_counters(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    drone = await builders.add(connection, "drone-1", kind="drone")
    lamp = await builders.add(connection, "light-1", kind="light")
    headings, energies = [359.0, 1.0, 358.0, 4.0], [10.0, 10.5, 0.2, 0.4]
    minutes = [NOON + timedelta(minutes=5 * i) for i in range(4)]
    await builders.store(
        connection,
        drone,
        [{"observed_at": m, "heading_deg": v} for m, v in zip(minutes, headings, strict=True)],
    )
    await builders.store(
        connection,
        lamp,
        [{"observed_at": m, "energy_kwh": v} for m, v in zip(minutes, energies, strict=True)],
    )

    found = []
    for device, name in (("drone-1", "heading_deg"), ("light-1", "energy_kwh")):
        parameters = {**RANGE, "bucket": "1h", "measurements": name}
        answer = await client.get(f"/api/v1/devices/{device}/readings", params=parameters)
        found.append(answer.json()["readings"][0]["measurements"][name])
    views = await connection.fetch("SELECT grown FROM v_light_counters ORDER BY observed_at")

    heading, energy = found
    assert heading == {"min": 358.0, "max": 4.0, "avg": pytest.approx(0.5, abs=0.01), "count": 4, "last": 4.0}
    assert (energy["grown"], energy["max"]) == (pytest.approx(0.9), 10.5)
    assert [row["grown"] for row in views] == [None, 0.5, 0.2, pytest.approx(0.2)]


async def test_day_bucket_begins_at_midnight_of_the_time_zone_asked_for(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.store(connection, device, [{"observed_at": NOON, "fill_pct": 1.0}])

    utc = await ask(client, bucket="1d", tz="UTC")
    kiritimati = await ask(client, bucket="1d", tz="Pacific/Kiritimati")

    assert builders.instant(utc["readings"][0]["at"]) == NOON - timedelta(hours=12)
    assert builders.instant(kiritimati["readings"][0]["at"]) == NOON - timedelta(hours=2)


async def test_booleans_and_texts_have_buckets_too(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1", kind="drone")
    rows = [
        {"observed_at": NOON + timedelta(seconds=i), "flight_phase": p}
        for i, p in enumerate(("docked", "takeoff"))
    ]
    await builders.store(connection, device, rows)

    found = await ask(client, measurements="flight_phase", bucket="1m")

    assert found["readings"][0]["measurements"]["flight_phase"] == {
        "min": None,
        "max": None,
        "avg": None,
        "count": 2,
        "last": "takeoff",
    }


async def test_auto_answers_raw_for_a_short_span_and_hours_for_a_long_one(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")

    short = await ask(client, bucket="auto", width=300)
    long = await ask(client, bucket="auto", width=300, start=(NOON - timedelta(days=10)).isoformat())

    assert short["bucket"] == "raw"
    assert long["bucket"] == "1h"


async def test_every_reading_is_sent_once_when_there_are_many_pages(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "ROWS_AT_A_TIME", 10)
    device = await builders.add(connection, "bin-1")
    rows = [{"observed_at": NOON + timedelta(seconds=i), "fill_pct": float(i)} for i in range(30)]
    await builders.store(connection, device, rows)

    found = await ask(client)

    assert [r["measurements"]["fill_pct"] for r in found["readings"]] == [float(i) for i in range(30)]


async def test_csv_has_a_column_per_measurement_and_no_formulas(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "drone-1", kind="drone")
    await builders.store(
        connection, device, [{"observed_at": NOON, "mission": "=HYPERLINK()", "alt_m": -2.5}]
    )
    parameters = {**RANGE, "measurements": "mission,alt_m", "format": "csv"}

    answer = await client.get("/api/v1/devices/drone-1/readings", params=parameters)

    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert answer.headers["content-type"].startswith("text/csv")
    assert row["mission"] == "'=HYPERLINK()"
    assert row["alt_m"] == "-2.5"
    marked = await client.get("/api/v1/devices/drone-1/readings", params={**parameters, "bom": "true"})
    assert marked.content == codecs.BOM_UTF8 + answer.content


async def test_ndjson_has_a_reading_a_line_when_accept_asks_for_it(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    rows = [{"observed_at": NOON + timedelta(seconds=i), "fill_pct": float(i)} for i in range(3)]
    await builders.store(connection, device, rows)

    answer = await client.get(
        "/api/v1/devices/bin-1/readings", params=RANGE, headers={"Accept": "application/x-ndjson"}
    )

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["measurements"]["fill_pct"] for line in lines] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("parameters", "slug"),
    [
        ({"measurements": "colour"}, "invalid"),
        ({"tz": "Mars/Olympus"}, "invalid"),
        ({"tz": "../../etc/passwd"}, "invalid"),
        ({"start": "2026-01-01T00:00:00"}, "invalid"),
        ({"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, "invalid"),
        ({"start": "2020-01-01T00:00:00Z"}, "range-too-wide"),
        ({"start": "1900-01-01T00:00:00Z", "bucket": "auto"}, "range-too-wide"),
        ({"bucket": "5m"}, "invalid"),
        ({"format": "xls"}, "invalid"),
    ],
)
async def test_readings_of_an_impossible_range_are_refused(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, parameters: dict[str, str], slug: str
) -> None:
    await builders.add(connection, "bin-1")

    answer = await client.get("/api/v1/devices/bin-1/readings", params={**RANGE, **parameters})

    assert answer.status_code == 422
    assert answer.json()["type"] == f"urn:nabd:problem:{slug}"


async def test_latest_names_its_suspects(client: httpx2.AsyncClient, connection: asyncpg.Connection) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.add(connection, "bin-2")
    await builders.report(connection, device, quality=SUSPECT_FILL, fill_pct=180.0)

    listed = (await client.get("/api/v1/latest")).json()["items"]
    one = await client.get("/api/v1/devices/bin-1/latest")
    none = await client.get("/api/v1/devices/bin-2/latest")

    assert [item["device"] for item in listed] == ["bin-1"]
    assert one.json()["suspect"] == ["fill_pct"]
    assert none.status_code == 404


async def test_ledger_of_a_device_names_what_it_measures_and_what_is_only_kept(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    rows: list[dict[str, Any]] = [
        {"observed_at": NOON - timedelta(minutes=2), "fill_pct": 40.0, "extra": {"temperature_f": 70}},
        {"observed_at": NOON - timedelta(minutes=1), "extra": {"batteryVoltage": 3.6, "fw": "2.1"}},
    ]
    await builders.store(connection, device, rows)

    until = (NOON + timedelta(hours=1)).isoformat()
    found = (await client.get("/api/v1/ledger", params={"device": "bin-1", "until": until})).json()

    assert (found["totals"]["stored"], found["totals"]["empty"]) == (2, 1)
    assert found["names"] == {
        "measured": {"fill_pct": 1},
        "extra": {"batteryVoltage": 1, "fw": 1, "temperature_f": 1},
        "hints": {"batteryVoltage": "battery_v, in V?", "temperature_f": "temperature_c, in Cel?"},
    }
