"""A backlog of several towns, drained by one ingest and by several beside each other, a town each or more."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from bench.throughput import children, drain, stored_bytes, usage
from bench.throughput.children import child
from bench.throughput.fleet import BenchFleet
from bench.throughput.rig import Rig
from bench.throughput.traffic import Stream
from devices import kinds
from devices.registry import registry
from ingest.broker import session
from ingest.broker.hearing import hearing_of
from ingest.commit import division
from nabd import clock, dividing
from nabd.dividing import DivisionPlan
from nabd.embedded.broker import Mosquitto
from nabd.settings import Settings
from nabd.starting import message_source
from readings import balance, ledger
from store.audit import PLATFORM
from store.connection import Connection
from store.pool import connect


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardsDrain:
    """A backlog drained by so many shards. CPU is microseconds a message; `ingest_cpu_us` by shard."""

    shards: int
    messages: int
    stored: int
    lost: int
    seconds: float
    messages_per_s: float
    ingest_cpu_us: dict[str, float]
    broker_cpu_us: float
    database_cpu_us: float
    bytes_per_reading: float


async def run(rig: Rig, dsn: str, fleet: BenchFleet, stream: Stream, shards: int) -> ShardsDrain:
    """Divide the towns among shards, fill their sessions, start their ingests, wait for the last commit."""
    directory = rig.directory / f"shards{shards}"
    connection = await connect(dsn)
    try:
        with rig.broker() as broker:
            await _divide(connection, fleet, shards)
            names = [s.name for s in await division.list_shards(connection)]
            await _subscribe(connection, broker, names)
            await children.publish(directory, stream, host=broker.address.host, port=broker.address.port)
            async with AsyncExitStack() as stack:
                started = {}
                for name in names:
                    log = directory / f"{name}.log"
                    environment = {**drain.settings_of(dsn, broker), "NABD_SHARD": name}
                    process = await stack.enter_async_context(child(drain.ingest_command(), log, environment))
                    started[name] = (process, log)
                for process, log in started.values():
                    await drain.until_said(process, log, drain.SUBSCRIBED)
                database_s, broker_s = rig.database_cpu_s(), usage.cpu_s([broker.pid])
                before = {name: usage.cpu_s([process.pid]) for name, (process, _) in started.items()}
                await drain.until_counted(connection, *started["main"], len(stream))
                cpu = {name: usage.cpu_s([p.pid]) - before[name] for name, (p, _) in started.items()}
                database_s, broker_s = rig.database_cpu_s() - database_s, usage.cpu_s([broker.pid]) - broker_s
        first, last = await drain.span(connection)
        totals = await ledger.total(connection)
        stored = await balance.count_readings(connection, kinds.load())
        sizes = await stored_bytes.of_readings(connection)
    finally:
        await connection.close()
    n = len(stream)
    return ShardsDrain(
        shards=shards,
        messages=n,
        stored=stored,
        lost=stream.readings - stored - totals.merged - totals.duplicate - totals.rejected,
        seconds=round(last - first, 3),
        messages_per_s=round(n / (last - first)),
        ingest_cpu_us={name: round(s / n * 1e6, 2) for name, s in cpu.items()},
        broker_cpu_us=round(broker_s / n * 1e6, 2),
        database_cpu_us=round(database_s / n * 1e6, 2),
        bytes_per_reading=round((sizes.tables + sizes.indexes) / stored, 1),
    )


async def _divide(connection: Connection, fleet: BenchFleet, shards: int) -> None:
    """Give each further shard a town of its own; nothing has run yet, so nothing waits at the broker."""
    towns = sorted({fleet.town(i) for i in range(fleet.size)})
    for number in range(1, shards):
        name = f"shard-{number}"
        await division.add_shard(connection, name, clock.wall, by=PLATFORM)
        plan = DivisionPlan(
            municipalities=towns[number::shards],
            to=name,
            source=lambda: message_source(Settings(broker="mqtt://nobody")),
            kinds=kinds.load(),
            now=clock.wall,
            within_s=1.0,
        )
        await dividing.divide(connection, plan, lambda _: None, by=PLATFORM)


async def _subscribe(connection: Connection, broker: Mosquitto, names: list[str]) -> None:
    towns = await registry.list_municipalities(connection)
    shards = {s.name: s for s in await division.list_shards(connection)}
    for name in names:
        own = session.IngestBroker(
            host=broker.address.host, port=broker.address.port, client_id=shards[name].client_id
        )
        opened = await session.connect(replace(own, receive_maximum=1), hearing_of(name, towns), clock.wall)
        opened.close()
