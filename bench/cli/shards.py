"""`nabd bench shards`: what several ingests drain beside each other, and what a reading costs."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from asyncpg import PostgresError

from bench.throughput import machine, rig
from bench.throughput import shards as drained
from bench.throughput.children import ChildFailed
from bench.throughput.fleet import BenchFleet, Traffic
from bench.throughput.shards import ShardsDrain
from bench.throughput.traffic import make_stream
from nabd import clock
from nabd.cli.output import fail, line, print_json, table
from nabd.embedded.broker import BrokerFailed
from store.errors import StoreError

SPAN_US = 3_600_000_000


def shards(
    messages: Annotated[int, typer.Option(min=100, help="messages in a run")] = 200_000,
    devices: Annotated[int, typer.Option(min=20, help="how many distinct devices")] = 5_000,
    most: Annotated[int, typer.Option(min=1, max=8, help="up to how many shards")] = 2,
    runs: Annotated[int, typer.Option(min=1, help="how often, in turns")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object alone")] = False,
) -> None:
    """Drain one backlog by one ingest, by two and so on: messages a second, CPU, bytes a reading.

    A database and a broker of its own are started and thrown away; nothing configured is touched.
    """
    try:
        found = asyncio.run(_run(messages, devices, most, runs))
    except (ChildFailed, BrokerFailed, StoreError, PostgresError, OSError) as error:
        fail(str(error))
    if as_json:
        print_json({"machine": machine.describe("18"), "runs": [asdict(one) for one in found]})
        return
    table(
        ["shards", "messages/s", "ingest us", "broker us", "database us", "bytes a reading", "lost"],
        [
            [
                one.shards,
                one.messages_per_s,
                ", ".join(f"{us:.1f}" for us in one.ingest_cpu_us.values()),
                one.broker_cpu_us,
                one.database_cpu_us,
                one.bytes_per_reading,
                one.lost,
            ]
            for one in found
        ],
    )
    line("us: CPU microseconds a message of all; ingest by shard. Everything shares this machine.")


async def _run(messages: int, devices: int, most: int, runs: int) -> list[ShardsDrain]:
    fleet = BenchFleet(traffic=Traffic.MIXED, size=devices, towns=most)
    found = []
    with tempfile.TemporaryDirectory(prefix="nabd-bench-") as directory:
        for number in range(runs):
            place = Path(directory) / str(number)
            place.mkdir()
            async with rig.running(place) as running:
                for shards in range(1, most + 1):
                    at = clock.wall() - SPAN_US + np.linspace(0, SPAN_US - 1e6, messages).astype(np.int64)
                    stream = make_stream(fleet, seed=1, at=at // 10 * 10)
                    async with running.database(fleet) as dsn:
                        found.append(await drained.run(running, dsn, fleet, stream, shards))
    return found
