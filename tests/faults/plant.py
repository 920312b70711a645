"""A platform to break: a database, a broker, registered bins, and ingest in processes that may be killed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from ingest.commit import shard
from nabd.demo.proof import Proof
from nabd.supervisor import Child, Supervisor
from rules.catalogue import catalogue
from rules.loading import files
from store.audit import PLATFORM
from store.pool import connect
from tests.brokers import Mosquitto
from tests.faults import checker, runner
from tests.faults.checker import KINDS
from tests.faults.publisher import KIND, MUNICIPALITY, SECOND, Fleet
from tests.faults.runner import Plan, now

LONG = os.environ.get("NABD_FAULTS") == "long"
"""Whether the long form runs: `make faults`."""

_OWNER = "SELECT owner FROM shard"


def resident_mb(pid: int) -> float:
    """Return how much memory a process has in use."""
    return psutil.Process(pid).memory_info().rss / 1e6


def descriptors(pid: int) -> int:
    """Return how many descriptors a process has open."""
    return psutil.Process(pid).num_fds()


def scaled(short: float, long: float) -> float:
    """Return how much of a fault there is, in the short form or the long one."""
    return long if LONG else short


async def eventually(condition: Callable[[], Awaitable[Any]], *, within: float = 20.0) -> Any:
    """Return the first true result of the condition."""
    deadline = time.monotonic() + within
    while not (found := await condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.05)
    return found


@dataclass(slots=True)
class Plant:
    """What a fault test works with. `since` is when the devices began to observe.

    Long enough ago that a hundred thousand seconds later is still no clock that runs ahead.
    """

    dsn: str
    broker: Mosquitto
    directory: Path
    seed: int
    client_id: str = ""
    devices: list[str] = field(default_factory=list)
    since: int = field(default_factory=lambda: (now() // SECOND - 7 * 86_400) * SECOND)
    processes: list[ForkServerProcess] = field(default_factory=list)
    owner: UUID | None = None

    async def found(self, devices: int = 40) -> None:
        """Register bins, and take the default rules into use."""
        self.devices = [f"b{i:03}" for i in range(devices)]
        connection = await connect(self.dsn)
        try:
            await add_municipality(connection, NewMunicipality(name=MUNICIPALITY), now, by=PLATFORM)
            new = [NewDevice(name=name, kind=KIND.name, municipality=MUNICIPALITY) for name in self.devices]
            await add_devices(connection, KINDS, new, now, by=PLATFORM)
            await catalogue.apply(connection, files.default_packs(KINDS), now())
            self.client_id = await shard.client_id(connection, "main")
        finally:
            await connection.close()

    def fleet(self, *, port: int | None = None, **how: Any) -> Fleet:
        """Return a fleet of all devices; use `async with`."""
        devices = how.pop("devices", self.devices)
        return Fleet(port or self.broker.port, devices, **{"seed": self.seed, "since": self.since, **how})

    def plan(self, **changes: Any) -> Plan:
        """Return how one process of ingest is to run."""
        return Plan(
            **{
                "dsn": self.dsn,
                "port": self.broker.port,
                "client_id": self.client_id,
                "directory": self.directory / "ingest",
                **changes,
            }
        )

    def run(self, **changes: Any) -> ForkServerProcess:
        """Start one process of ingest by a plan; every other one decodes with compiled code."""
        process = runner.start(self.plan(**{"compiled": len(self.processes) % 2 == 0, **changes}))
        self.processes.append(process)
        return process

    async def subscribed(self) -> None:
        """Let the broker know of ingest's session, so that it keeps what is published from now on."""
        process = self.run(directory=self.directory / "first")
        await self.owned()
        await self.end(process)

    async def owned(self) -> None:
        """Wait until another ingest than the last one owns the shard and hears the broker."""
        query = "SELECT owner FROM shard WHERE caught_up_at IS NOT NULL AND owner IS DISTINCT FROM $1"

        async def another() -> Any:
            return await self.fetchval(query, self.owner)

        self.owner = await eventually(another, within=30)

    async def end(self, process: ForkServerProcess) -> int | None:
        """Stop a process as SIGTERM does; return its exit code."""
        process.terminate()
        return await self.ended(process, within=15)

    async def ended(self, process: ForkServerProcess, within: float = 30.0) -> int | None:
        """Wait until a process has ended; return its exit code, negative for a signal."""

        async def over() -> bool:
            return not process.is_alive()

        await eventually(over, within=within)
        return process.exitcode

    async def ended_or_stored(self, process: ForkServerProcess, readings: int) -> None:
        """Wait until a process that is to die has, or has nothing left to die of; then it is stopped."""
        stored = "SELECT coalesce(sum(stored), 0) >= $1 FROM ledger"

        async def over() -> bool:
            return not process.is_alive() or bool(await self.fetchval(stored, readings))

        await eventually(over, within=30)
        await self.end(process)

    async def outlive(self, fleets: Sequence[Fleet], **changes: Any) -> Proof:
        """Run a sound ingest until everything said is stored; return the comparison."""
        before = await self.fetchval(_OWNER)
        process = self.run(**changes)
        found = await self.proof(fleets)

        async def listens() -> bool:
            return bool(await self.fetchval(_OWNER) != before)

        # Where all was stored already, a process told to stop as it starts would not yet end as it should.
        await eventually(listens, within=30)
        assert await self.end(process) == 0
        return found

    async def proof(self, fleets: Sequence[Fleet], *, complete: bool = True, within: float = 60.0) -> Proof:
        """Wait for the end of the stream, compare, and say what came of it.

        complete: whether everything said is to be stored; else wait until ingest has nothing to do.
        """
        lines = [line for fleet in fleets for line in fleet.lines()]
        expected = len({(line.device, line.ts) for line in lines}) if complete else None
        await checker.at_rest(self.dsn, expected, within)
        found = await checker.examine(self.dsn, lines, self.devices)
        print(checker.summary(found))
        return found

    def forgetful_broker(self) -> None:
        """Kill the broker and start it without its store: sessions and messages are gone."""
        self.broker.kill()
        for file in self.broker.store.iterdir():
            file.unlink()
        self.broker.start()

    def environment(self, **changes: str) -> dict[str, str]:
        """Return what `nabd ingest` reads."""
        return {
            "NABD_DATABASE": self.dsn,
            "NABD_BROKER": f"mqtt://127.0.0.1:{self.broker.port}",
            "NABD_DATA_DIR": str(self.directory / "data"),
            "NABD_KEEP_ALIVE_S": "4",
            "NABD_RECEIVE_MAXIMUM": "1000",
            "NABD_BATCH_ROWS": "200",
            **changes,
        }

    async def supervise(self, supervisor: Supervisor) -> Child:
        """Start the real `nabd ingest` and wait until it owns the shard."""
        child = Child(name="ingest", arguments=["ingest"], log=self.directory / "ingest.log")
        await supervisor.start(child)
        await self.owned()
        return child

    async def fetch(self, query: str, *values: object) -> Any:
        """Return rows from the database."""
        connection = await connect(self.dsn)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    async def fetchval(self, query: str, *values: object) -> Any:
        """Return one value from the database."""
        connection = await connect(self.dsn)
        try:
            return await connection.fetchval(query, *values)
        finally:
            await connection.close()

    async def execute(self, query: str, *values: object) -> None:
        """Change something in the database behind everybody's back."""
        connection = await connect(self.dsn)
        try:
            await connection.execute(query, *values)
        finally:
            await connection.close()

    def close(self) -> None:
        """Kill what still runs."""
        for process in self.processes:
            if process.is_alive():
                process.kill()
            process.join()
            process.close()
