"""Ingest and the API are killed while somebody enters readings: each is stored once, with its author."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx2

from devices.instants import rfc3339, to_datetime
from devices.registry.registration import NewDevice
from tests.brokers import Broker
from tests.platform import Platform, register, running
from tests.waiting import now

READINGS = 24
KILLED = {5: "ingest", 11: "api", 17: "ingest", 20: "api"}
PATH = "/api/v1/devices/b1/hand-readings"
DEADLINE_S = 60.0


async def entered(platform: Platform, body: dict[str, object]) -> None:
    """Enter a reading as a phone does: the same again until it is answered."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                answer = await platform.http.post(PATH, json=body, timeout=30)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code == 201:
                return
            assert answer is None or answer.status_code == 503, answer.text
            await asyncio.sleep(0.2)


async def test_readings_by_hand_outlive_kills(dsn: str, broker: Broker, tmp_path: Path) -> None:
    since = to_datetime(now()).replace(microsecond=0) - timedelta(hours=1)
    async with running(dsn, broker, tmp_path, processes=("ingest", "api")) as platform:
        await register(platform, NewDevice(name="b1", kind="bin", municipality="tripoli"))
        for n in range(READINGS):
            at = rfc3339(since + timedelta(seconds=n))
            sending = asyncio.create_task(
                entered(platform, {"measurements": {"fill_pct": n}, "observed_at": at})
            )
            if n in KILLED:
                # Somewhere between the entry, the message, the commit and the answer.
                await asyncio.sleep(0.004 * n)
                platform.kill(KILLED[n])
            await sending

        rows = await platform.database.fetch(
            """
            SELECT r.fill_pct, h.measurements, author.name AS author
            FROM bin_reading AS r
            LEFT JOIN hand_reading AS h
                ON r.device_id = h.device_id AND r.observed_at = h.observed_at
                AND r.extra ->> 'hand_reading' = h.id::text
            LEFT JOIN named_principal AS author ON h.author_id = author.id
            ORDER BY r.observed_at
            """
        )
        kept = await platform.database.fetchval("SELECT count(*) FROM hand_reading")
        told = (await platform.get(PATH, limit=1000))["items"]

    assert [row["fill_pct"] for row in rows] == list(range(READINGS))
    assert {row["author"] for row in rows} == {"operator"}
    assert [row["measurements"] for row in rows] == [{"fill_pct": n} for n in range(READINGS)]
    assert (kept, len(told)) == (READINGS, READINGS)
