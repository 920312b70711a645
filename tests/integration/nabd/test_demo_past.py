"""The demo's past and its people at work: stored by the code of the present, which they leave alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from devices.instants import to_datetime
from devices.registry.registry import get_device
from nabd.demo import simulated, technicians
from nabd.demo.cast import TOWNSPEOPLE
from nabd.demo.inbox.answering import InboxPhone
from nabd.demo.inbox.messages import Inbox
from nabd.demo.past import writing
from nabd.demo.past.writing import PastPlan, PastWriter
from nabd.demo.people import add_townspeople, numbers_of
from nabd.demo.technicians import TownCrew
from nabd.demo.town_inbox import readers_of
from nabd.embedded.parts import migrated
from nabd.settings import Settings
from people.audit.chains import verify
from store.pool import connect
from tests.integration.api import builders
from tests.unit.firmware_sim.build import KINDS, small_town
from tests.waiting import eventually, now
from work.photo_files import PhotoDirectory

HOUR_US = 3_600_000_000
HOURS = 12
LASTS_US, KEPT_US = HOURS * HOUR_US, 90 * 24 * HOUR_US
TOWN = small_town(bins=12, lights=4, drones=0, others=0, interval_cap_s=None, fault_mean_days=0.3)


@asynccontextmanager
async def town(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Register the town and its people, with the default rules in force."""
    await migrated(Settings(database=dsn, _env_file=None))  # type: ignore[call-arg]  # pydantic-settings' own
    connection = await connect(dsn)
    try:
        await simulated.register(connection, KINDS, TOWN, now)
        await add_townspeople(connection, KINDS, TOWN.municipality, now)
        yield connection
    finally:
        await connection.close()


_WORK = """
SELECT o.created_at, o.accepted_at, o.arrived_at, o.ended_at, o.state, a.opened_at, a.state AS alert
FROM work_order AS o
INNER JOIN work_order_alert AS said ON said.order_id = o.id
INNER JOIN alert AS a ON said.alert_id = a.id
ORDER BY o.id
"""


async def test_past_is_whole_and_leaves_the_present_alone(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "REST", 0.0)
    end = now() - HOUR_US
    async with town(dsn) as connection:
        fresh = await connection.fetchrow("SELECT batch, generation FROM shard WHERE name = 'main'")
        open_today = await builders.fire(
            connection, await get_device(connection, "TRP-BIN-001"), at=to_datetime(end + HOUR_US)
        )
        writer = PastWriter(
            PastPlan(town=TOWN, start=end - LASTS_US, end=end, retention=KEPT_US),
            KINDS,
            partial(connect, dsn),
        )

        hours: list[int] = []
        await writer.run(lambda counts: hours.append(counts.hours))

        assert hours == list(range(1, HOURS + 1))
        assert writer.counts.readings > 500
        stored = await connection.fetchrow(
            "SELECT sum(received) AS received, sum(stored + duplicate + rejected) AS accounted FROM ledger"
        )
        assert stored is not None
        assert stored["received"] == stored["accounted"] == writer.counts.readings
        alerts = await connection.fetch("SELECT * FROM alert WHERE id <> $1", open_today)
        assert len(alerts) == writer.counts.alerts > 2
        assert {row["state"] for row in alerts} == {"resolved"}
        assert max(row["resolved_at"] for row in alerts) <= to_datetime(end)
        work = await connection.fetch(_WORK)
        assert len(work) == writer.counts.orders > 1
        for row in work:
            assert (row["state"], row["alert"]) == ("done", "resolved")
            assert row["opened_at"] <= row["created_at"] <= row["accepted_at"] <= row["arrived_at"]
            assert row["arrived_at"] < row["ended_at"] <= to_datetime(end)
        assert await connection.fetchval("SELECT state FROM alert WHERE id = $1", open_today) == "firing"
        assert await connection.fetchval("SELECT count(*) FROM latest") == 0
        assert fresh == await connection.fetchrow("SELECT batch, generation FROM shard WHERE name = 'main'")
        assert (await verify(connection)).problems == []


async def test_people_of_the_town_bring_an_alert_to_its_report_and_what_they_mend_heals(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(technicians, "LOOK_S", 0.01)
    mended: list[str] = []
    async with town(dsn) as connection:
        began = now()
        await builders.fire(connection, await get_device(connection, "TRP-BIN-002"), at=to_datetime(began))
        inbox = Inbox(readers_of("tripoli"), now, public_url="http://127.0.0.1:9")
        async with InboxPhone(inbox, base="http://127.0.0.1:9", token="") as phone:
            crew = TownCrew(
                municipality="tripoli",
                seed=2,
                now=lambda: began + (now() - began) * 50_000,
                speed=50_000,
                since=0,
                connect=partial(connect, dsn),
                repair=mended.append,
                photos=PhotoDirectory(tmp_path),
                inbox=inbox,
                phone=phone,
            )
            working = asyncio.create_task(crew.run())
            done = await eventually(lambda: connection.fetch("SELECT * FROM work_order WHERE state = 'done'"))
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        assert inbox.watchers == []
        assert mended == ["TRP-BIN-002"]
        people = {n: name for name, n in (await numbers_of(connection, TOWNSPEOPLE["tripoli"])).items()}
        said = await connection.fetch("SELECT type, author_id FROM work_event ORDER BY id")
        assert [row["type"] for row in said][-4:] == ["on-the-way", "in-progress", "photo-added", "done"]
        assert people[said[0]["author_id"]] == "rana"
        assert people[done[0]["assignee_id"]] in ("omar", "georges")
        assert await connection.fetchval("SELECT done <> '' FROM work_report")
        assert await connection.fetchval("SELECT media_type FROM work_photo") == "image/jpeg"
