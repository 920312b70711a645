"""The database and the broker that everything measured shares: real ones, durable, fresh for each run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.throughput import usage
from bench.throughput.fleet import BenchFleet, register
from bench.throughput.named_server import DatabaseServer, named
from nabd import clock
from nabd.embedded.broker import BrokerFailed, Mosquitto, find_mosquitto
from nabd.embedded.parts import migrated
from nabd.embedded.postgres import EmbeddedPostgres
from nabd.settings import Settings
from rules.catalogue import catalogue
from rules.definition.definition import Definition
from store.pool import connect

TRACKED = {"track_commit_timestamp": "on"}
"""So that the instant of a commit can be told to the microsecond; the server's default is off."""

MIGRATED = "bench_migrated"
"""The database that each run's is a copy of."""


@dataclass(slots=True)
class Rig:
    """A running server; `directory` is for whatever a run leaves behind."""

    server: EmbeddedPostgres | DatabaseServer
    directory: Path
    databases: int = 0
    brokers: int = 0

    def database_cpu_s(self) -> float:
        """Return the CPU seconds of the database server, all its processes together; 0 of one elsewhere."""
        pid = self.server.pid
        return 0.0 if pid is None else usage.cpu_s(usage.family(pid))

    @asynccontextmanager
    async def database(self, fleet: BenchFleet, rules: list[Definition] | None = None) -> AsyncIterator[str]:
        """Give a fresh database that knows the fleet; `rules` None means the default ones."""
        self.databases += 1
        name = f"nabd_bench_{self.databases}"
        dsn = self.server.dsn(name)
        await self._make(name)
        connection = await connect(dsn, statement_timeout_s=0)
        try:
            if rules is not None:
                await catalogue.apply(connection, rules, clock.wall(), remove_others=True)
            await register(connection, fleet, clock.wall)
            await connection.execute("ANALYZE")
        finally:
            await connection.close()
        # What was written so far must not be written to disk during the measurement.
        await self._execute("CHECKPOINT")
        try:
            yield dsn
        finally:
            await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _make(self, name: str) -> None:
        """Make a migrated database."""
        if isinstance(self.server, DatabaseServer):
            # Processes of TimescaleDB are connected to each database, so that none can be copied.
            await self._execute(f"CREATE DATABASE {name}")
            await _migrate(self.server.dsn(name))
            return
        if self.databases == 1:
            await self._execute(f"CREATE DATABASE {MIGRATED}")
            await _migrate(self.server.dsn(MIGRATED))
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {MIGRATED}")

    async def _execute(self, statement: str) -> None:
        connection = await connect(self.server.dsn(), statement_timeout_s=0)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @contextmanager
    def broker(self) -> Iterator[Mosquitto]:
        """Give a fresh mosquitto with the settings of `nabd up`."""
        program = find_mosquitto()
        if program is None:
            raise BrokerFailed("this stage needs mosquitto (Debian: apt install mosquitto)")
        self.brokers += 1
        directory = self.directory / f"broker{self.brokers}"
        directory.mkdir()
        with Mosquitto(directory, program, 0) as broker:
            yield broker


async def _migrate(dsn: str) -> None:
    await migrated(Settings(database=dsn, kinds_dir=None, clock=None))


@asynccontextmanager
async def running(directory: Path, address: str | None = None) -> AsyncIterator[Rig]:
    """Give the server at an address, or start one in `directory` and stop it afterwards.

    Raises:
        StoreError: the server at the address does not answer, or does not tell when a commit was.
    """
    if address is not None:
        yield Rig(server=await named(address), directory=directory)
        return
    server = EmbeddedPostgres(directory / "postgres", settings=TRACKED)
    try:
        await asyncio.to_thread(server.start)
        yield Rig(server=server, directory=directory)
    finally:
        await asyncio.to_thread(server.delete)
