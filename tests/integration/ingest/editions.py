"""A pipeline on a database of each edition, whose clock is told what time it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import numpy as np
import pytest

from devices import kinds as declared
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from devices.registry.registry import load
from devices.wire import Decoder
from ingest.broker.intake import Intake
from ingest.commit import shard
from ingest.commit.commit import BatchContext
from ingest.commit.settled import Settled
from ingest.commit.shard import Shard
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from ingest.pipeline import Pipeline
from rules.catalogue import catalogue
from rules.live.consumer import LiveRules
from rules.loading import files
from store.audit import PLATFORM
from store.connection import Connection
from store.pool import connect
from store.readings import CopyWriter, Writer
from tests.insert_writer import InsertWriter

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
    await add_municipality(connection, NewMunicipality(name="tripoli"), lambda: NOW, by=PLATFORM)
    await add_devices(
        connection,
        KINDS,
        [NewDevice(name="b1", kind="bin", municipality="tripoli")],
        lambda: NOW,
        by=PLATFORM,
    )
    await catalogue.apply(connection, files.default_packs(KINDS), NOW)
    owned = Shard(name="main", owner=uuid4())
    await shard.claim(connection, owned, lambda: NOW, lambda: None)
    rules = LiveRules(KINDS)
    await rules.load(connection, "main")
    context = BatchContext(
        shard=owned,
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

    yield Edition(Pipeline(connection=connection, context=context, decoders=decoders, reconnect=never))
    await connection.close()
