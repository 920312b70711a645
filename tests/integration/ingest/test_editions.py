"""The same batches on both editions: plain PostgreSQL by COPY, TimescaleDB's own code by unnest.

The WebAssembly build of TimescaleDB takes no COPY and one connection at a time, so there the pipeline runs
without a broker and with the writer for such servers.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from uuid import uuid4

import asyncpg
import numpy as np
import pytest

from devices import kinds as declared
from devices.municipalities import NewMunicipality, add_municipality
from devices.registration import NewDevice, add_devices
from devices.registry import load
from devices.wire import Decoder
from ingest import offsets
from ingest import shard as shards
from ingest.clocks import Offsets
from ingest.commit import Desk
from ingest.directory import Directory
from ingest.intake import Intake
from ingest.newest import Newest
from ingest.pipeline import Pipeline
from ingest.settled import Settled
from ingest.shard import Shard
from rules import catalogue, files
from rules.live import LiveRules
from store.connection import Connection
from store.pool import connect
from store.readings import CopyWriter, InsertWriter, Writer

KINDS = declared.load()
NOW = 1_790_000_000_000_000


@dataclass
class Edition:
    """One edition's pipeline on its one connection."""

    pipeline: Pipeline
    clock: int = NOW

    @property
    def connection(self) -> Connection:
        return self.pipeline.connection

    async def receive(self, *elements: object, device: str = "b1") -> Settled:
        """Commit one message per element, received a second after the last ones."""
        return await self.process(self.intake(*elements, device=device))

    def intake(self, *elements: object, device: str = "b1") -> Intake:
        """Return one message per element, received a second after the last ones."""
        self.clock += 1_000_000
        return Intake(
            topics=[f"nabd/v1/tripoli/bin/{device}/telemetry"] * len(elements),
            payloads=[json.dumps(element).encode() for element in elements],
            received_at=self.clock + np.arange(len(elements)),
            packet_ids=[],
            connection=None,
        )

    async def process(self, intake: Intake, following: Intake | None = None) -> Settled:
        """Commit an intake, deciding about the next one meanwhile."""
        return await self.pipeline.process(intake, caught_up=True, flush_latest=True, following=following)


@pytest.fixture(params=["plain", "timescale"])
async def edition(request: pytest.FixtureRequest) -> AsyncIterator[Edition]:
    """A pipeline with the default rules and bin b1, on a fresh database of each edition."""
    name = "dsn" if request.param == "plain" else "timescale_dsn"
    writer: Writer = CopyWriter() if request.param == "plain" else InsertWriter()
    connection = await connect(request.getfixturevalue(name))
    await connection.execute(
        "TRUNCATE municipality, device, rejection, ledger, rule, bin_reading, latest CASCADE"
    )
    await add_municipality(connection, NewMunicipality(name="tripoli"), lambda: NOW)
    await add_devices(
        connection, KINDS, [NewDevice(name="b1", kind="bin", municipality="tripoli")], lambda: NOW
    )
    await catalogue.apply(connection, files.default_packs(KINDS), NOW)
    shard = Shard(name="main", owner=uuid4())
    await shards.claim(connection, shard, lambda: NOW, lambda: None)
    rules = LiveRules(KINDS)
    await rules.load(connection, "main")
    desk = Desk(
        shard=shard,
        directory=Directory(await load(connection), KINDS),
        offsets=Offsets(),
        writer=writer,
        consumers=[rules],
        now=lambda: NOW,
        retention=90 * 86_400_000_000,
    )
    decoders = {name: Decoder(kind) for name, kind in KINDS.items()}

    async def never() -> asyncpg.Connection:
        raise AssertionError("the connection is not to be lost")

    yield Edition(Pipeline(connection=connection, desk=desk, decoders=decoders, reconnect=never))
    await connection.close()


def reading(minute: int, **values: float) -> dict[str, float]:
    return {"ts": NOW // 1000 - 3_600_000 + minute * 60_000, **values}


async def test_readings_are_stored_once_whoever_repeats_them(edition: Edition) -> None:
    await edition.receive(*(reading(minute, fill_pct=minute) for minute in range(50)))

    again = await edition.receive(*(reading(minute, fill_pct=minute) for minute in range(45, 55)))

    assert sum(map(len, again.duplicates)) == 5
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 55
    assert await edition.connection.fetchval("SELECT sum(duplicate) FROM ledger") == 5


async def test_another_value_for_the_same_instant_is_a_conflict(edition: Edition) -> None:
    await edition.receive(reading(1, fill_pct=10))

    settled = await edition.receive(reading(1, fill_pct=11), reading(2, fill_pct=12))

    assert [r.rejected.reason for r in settled.refused] == ["conflict"]
    rows = await edition.connection.fetch("SELECT fill_pct FROM bin_reading ORDER BY observed_at")
    assert [row["fill_pct"] for row in rows] == [10, 12]


async def test_more_rows_than_one_statement_takes_are_stored(edition: Edition) -> None:
    rows = [reading(0, fill_pct=1) | {"ts": NOW // 1000 - i} for i in range(1200)]

    settled = await edition.receive(rows[:600], rows[600:])

    assert len(settled.stored["bin"]) == 1200
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 1200


async def test_an_alert_opens_in_the_transaction_of_its_reading(edition: Edition) -> None:
    await edition.receive(reading(1, fill_pct=90), reading(11, fill_pct=91))

    row = await edition.connection.fetchrow(
        "SELECT a.rule, a.state, t.xid::text = r.xmin::text AS together FROM alert AS a"
        " INNER JOIN transition AS t ON t.alert_id = a.id"
        " INNER JOIN ledger AS r ON true ORDER BY r.batch DESC LIMIT 1"
    )
    assert tuple(row or ()) == ("bin-overflow", "firing", True)


async def test_the_newest_reading_is_kept(edition: Edition) -> None:
    await edition.receive(reading(1, fill_pct=1), reading(2, fill_pct=2))
    await edition.receive(reading(3, fill_pct=3))

    # Flushed with the batch after: at most one batch old while readings flow.
    assert await edition.connection.fetchval("SELECT measurements FROM latest") == {"fill_pct": 2}


async def test_the_views_answer_alike(edition: Edition) -> None:
    await edition.receive(reading(1, fill_pct=33))

    assert await edition.connection.fetchval("SELECT fill_pct FROM v_bin") == 33
    assert await edition.connection.fetchval("SELECT sum(stored) FROM v_ledger") == 1


async def test_what_is_decided_ahead_is_stored_in_its_turn(edition: Edition) -> None:
    first = edition.intake(reading(1, fill_pct=10))
    second = edition.intake(reading(1, fill_pct=10), reading(2, fill_pct=20), {"ts": "yesterday"})

    await edition.process(first, following=second)
    settled = await edition.process(second)

    assert [len(columns) for columns in settled.duplicates] == [1, 0]
    assert [r.rejected.reason for r in settled.refused] == ["bad_time"]
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 2


async def test_what_is_decided_ahead_is_decided_again_when_the_registry_changes(edition: Edition) -> None:
    second = edition.intake(reading(2, fill_pct=20), device="b2")
    await edition.process(edition.intake(reading(1, fill_pct=10)), following=second)
    newcomer = NewDevice(name="b2", kind="bin", municipality="tripoli")
    await add_devices(edition.connection, KINDS, [newcomer], lambda: NOW)

    settled = await edition.process(second)

    assert not settled.refused
    assert len(settled.stored["bin"]) == 1


async def test_what_a_batch_learns_of_a_clock_counts_for_the_one_decided_ahead(edition: Edition) -> None:
    ahead = {"ts": NOW // 1000 + 3 * 3_600_000, "fill_pct": 10}
    second = edition.intake(ahead)
    await edition.process(edition.intake(ahead), following=second)

    settled = await edition.process(second)

    assert [len(columns) for columns in settled.duplicates] == [1, 0]
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 1


MINUTE = 60_000


def six_minutes_ahead(minutes: int, **values: float) -> dict[str, float]:
    """Return a reading of so many minutes ago by a clock that is six minutes ahead."""
    return {"ts": NOW // 1000 + (6 - minutes) * MINUTE, **(values or {"fill_pct": minutes})}


LATE = six_minutes_ahead(2)
"""Said two minutes late, it passes for right: its time is four minutes ahead."""
TELLTALE = [six_minutes_ahead(3), six_minutes_ahead(0)]
"""Tells how wrong the clock is, of times before and after."""


@pytest.mark.parametrize(
    "batches",
    [
        [[LATE], [TELLTALE], [LATE]],
        [[LATE, TELLTALE], [LATE]],
        [[TELLTALE, LATE], [LATE]],
        [[LATE], [TELLTALE, LATE]],
        [[LATE], [[LATE, *TELLTALE]]],
        [[LATE, [LATE, *TELLTALE]]],
        [[[LATE, *TELLTALE], LATE]],
        [[LATE], [TELLTALE], [[LATE, six_minutes_ahead(1)], LATE]],
    ],
)
async def test_what_passed_for_right_is_stored_once_although_its_clock_proves_wrong(
    edition: Edition, batches: list[list[Any]]
) -> None:
    settled = [await edition.receive(*messages) for messages in batches]

    said = [r for messages in batches for m in messages for r in (m if isinstance(m, list) else [m])]
    different = {r["fill_pct"] for r in said}
    stored = await edition.connection.fetch("SELECT fill_pct FROM bin_reading")
    assert sorted(row["fill_pct"] for row in stored) == sorted(different)
    assert sum(len(d) for s in settled for d in s.duplicates) == len(said) - len(different)
    assert not any(s.refused for s in settled)


async def test_what_passed_for_right_is_no_reason_to_lose_another_reading(edition: Edition) -> None:
    await edition.receive(LATE)
    await edition.receive(TELLTALE)

    settled = await edition.receive(six_minutes_ahead(2, fill_pct=77))

    assert len(settled.stored["bin"]) == 1
    assert not settled.refused


@pytest.mark.parametrize("seed", [3, 8, 20, 24])
async def test_a_fast_clock_is_no_reason_to_store_a_reading_twice(edition: Edition, seed: int) -> None:
    random = Random(seed)
    minute = 60_000_000
    ahead, count = random.randrange(4 * minute, 9 * minute, 1000), random.randrange(4, 12)
    readings = [{"ts": (NOW + i * minute + ahead) // 1000, "fill_pct": i} for i in range(count)]
    said = []
    for i in range(count):
        for _ in range(random.choice([1, 1, 2, 3])):
            late = random.choice([0, 0, 1, 2, 4, 20]) * minute
            also = [r for r in readings[:i] if random.random() < 0.3]
            said.append((NOW + i * minute + late + random.randrange(minute), [*also, readings[i]]))
    said.sort(key=lambda s: s[0])

    while said:
        some, said = said[: (n := random.randrange(1, 5))], said[n:]
        intake = edition.intake(*(message for _, message in some))
        await edition.process(replace(intake, received_at=np.array([at for at, _ in some])))
        if random.random() < 0.3:
            desk = edition.pipeline.desk
            desk.offsets, desk.newest = await offsets.load(edition.connection, 0), Newest()

    stored = await edition.connection.fetch("SELECT fill_pct FROM bin_reading ORDER BY fill_pct")
    assert [row["fill_pct"] for row in stored] == list(range(count))


async def test_what_was_decided_ahead_and_never_came_is_forgotten(edition: Edition) -> None:
    lost, following = edition.intake(reading(2, fill_pct=20)), edition.intake(reading(4, fill_pct=40))
    await edition.process(edition.intake(reading(1, fill_pct=10)), following=lost)

    await edition.process(edition.intake(reading(3, fill_pct=30)), following=following)

    ahead = edition.pipeline._ahead
    assert ahead is not None
    assert ahead.intake is following
    await edition.process(following)
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 3
