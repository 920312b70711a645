"""Stores the past, an hour of the town after the other, and says how far it is.

Uses a shard of its own, so that the present's counter, session and rules are left alone; the newest values of
devices are never written, as they are those of the present.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

from devices.kinds import Kinds
from devices.registry import registry
from devices.wire import Decoder
from firmware_sim.physics.model import HOUR_S, SECOND
from firmware_sim.town import Town
from ingest.broker.intake import Intake
from ingest.commit import shard
from ingest.commit.commit import BatchContext
from ingest.commit.shard import Shard
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from ingest.decide.last_values import LastValues
from ingest.pipeline import Pipeline
from nabd.demo.past.life import PastTown
from nabd.demo.past.recording import people_of, record_story
from nabd.demo.past.rules import PastRules
from nabd.demo.past.stories import PastWork
from readings.rollups.marks import RollupMarks
from store.connection import Connection
from store.readings import CopyWriter

SHARD = "past"
HOUR_US = round(HOUR_S * SECOND)
REST = 0.6
"""Seconds of rest after each second of work: the present goes first."""

_SHARD = "INSERT INTO shard (name, generation) SELECT $1, generation FROM shard WHERE name = 'main'"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPlan:
    """Which past: of which town, from when until when in microseconds, kept for how long."""

    town: Town
    start: int
    end: int
    retention: int


@dataclass(slots=True, kw_only=True)
class PastCounts:
    """What was stored so far. hours: of the town, and how many there are."""

    hours: int = 0
    of_hours: int = 0
    readings: int = 0
    alerts: int = 0
    orders: int = 0


class PastWriter:
    """Lives through the past; `run` until it is over or cancelled."""

    def __init__(self, plan: PastPlan, kinds: Kinds, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._plan = plan
        self._kinds = kinds
        self._connect = connect
        self._now = plan.start
        self._rules = PastRules(kinds)
        self.counts = PastCounts(of_hours=(plan.end - plan.start) // HOUR_US)

    async def run(self, told: Callable[[PastCounts], None]) -> None:
        """Store everything; `told` is called after every hour of the town."""
        connection = await self._connect()
        stories_connection = await self._connect()
        try:
            pipeline = await self._pipeline(connection)
            people = await people_of(stories_connection, self._plan.town.municipality)
            stories = PastWork(
                seed=self._plan.town.seed, technicians=dict.fromkeys(people.technicians, self._plan.start)
            )
            devices = PastTown(self._plan.town, self._plan.start)
            for hour in range(self.counts.of_hours):
                await self._hour(devices, pipeline, stories)
                for story in stories.over(self._now):
                    stored = await record_story(
                        stories_connection, story, people, self._rules.describe, seed=self._plan.town.seed
                    )
                    self.counts.alerts += stored
                    self.counts.orders += stored and bool(story.visits)
                self.counts.hours = hour + 1
                told(self.counts)
        finally:
            connection.terminate()
            stories_connection.terminate()

    async def _pipeline(self, connection: Connection) -> Pipeline:
        await connection.execute(_SHARD, SHARD)
        owned = Shard(name=SHARD, owner=uuid4())
        await shard.claim(connection, owned, lambda: self._now, lambda: None)
        await self._rules.load(connection, SHARD)
        context = BatchContext(
            shard=owned,
            directory=Directory(await registry.load(connection), self._kinds),
            offsets=Offsets(),
            writer=CopyWriter(),
            consumers=[self._rules, RollupMarks()],
            now=lambda: self._now,
            retention=self._plan.retention,
            last_values={name: LastValues(kind) for name, kind in self._kinds.items()},
        )
        decoders = {name: Decoder(kind) for name, kind in self._kinds.items()}
        return Pipeline(connection=connection, context=context, decoders=decoders, reconnect=self._connect)

    async def _hour(self, devices: PastTown, pipeline: Pipeline, stories: PastWork) -> None:
        end = self._now + HOUR_US
        began = time.monotonic()
        arrived: Intake | None = None
        for found in devices.until(end):
            began = await _rested(began)
            arrived = found
        self._now = end
        if arrived is not None:
            settled = await pipeline.process(arrived, caught_up=False, flush_latest=False)
            self.counts.readings += sum(len(rows) for rows in settled.stored.values())
        stories.follow(self._rules.taken())
        stories.send(end)
        for device, at in stories.mended(end).items():
            devices.repair(self._rules.device_name(device), at)
        await _rested(began)


async def _rested(began: float) -> float:
    """Rest in proportion to the work since `began`, seconds; return when work goes on."""
    await asyncio.sleep((time.monotonic() - began) * REST)
    return time.monotonic()
