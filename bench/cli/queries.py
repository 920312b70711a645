"""`nabd bench queries`: how long questions about a day and a year take, and how much room they need."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import typer

from bench.cli.notify import databases
from bench.queries import past, questions
from devices import kinds
from nabd import clock
from nabd.cli.output import line, print_json, table
from store.connection import Connection
from store.pool import connect

NAME = "nabd_bench_queries"


def queries(
    devices: Annotated[int, typer.Option(min=2, help="half lights, half bins")] = 20,
    days: Annotated[int, typer.Option(min=2, help="how long their past is")] = 30,
    dsn: Annotated[
        str | None,
        typer.Option(help="a server to make a database on, with TimescaleDB or without; else one of our own"),
    ] = None,
    cache: Annotated[Path, typer.Option(help="where what the simulator made is kept")] = Path(
        "var/bench-queries"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object alone")] = False,
) -> None:
    """Ask what screens and panels ask, of a past by the simulator's physics.

    The long form: --devices 2000 --days 365. The last line is one JSON object.
    A configured database is never touched.
    """
    found = asyncio.run(_on_server(dsn, devices, days, cache))
    if not as_json:
        table(
            ("question", "span", "p50 ms", "p95 ms", "rows"),
            [tuple(one.values()) for one in found["queries"]],
        )
        ratio = found["compression_ratio"]
        line(f"{found['readings']:,} readings, {found['bytes_per_row']} bytes each with indexes")
        rolled = found["rollup_bytes_per_reading"]
        line(f"hours and days: {rolled} bytes a reading, {found['rollup_lag_s']} s behind")
        line("no columnstore on this edition" if ratio is None else f"columnstore: 1/{ratio}")
        line(f"made in {found['made_s']} s, rolled up in {found['rolled_s']} s")
    print_json(found)


async def _on_server(dsn: str | None, devices: int, days: int, cache: Path) -> dict[str, Any]:
    if dsn is None:
        async with databases() as (server, _):
            return await _in_database(server.dsn(), devices, days, cache)
    return await _in_database(dsn, devices, days, cache)


async def _in_database(dsn: str, devices: int, days: int, cache: Path) -> dict[str, Any]:
    outside = await connect(dsn)
    await outside.execute(f"CREATE DATABASE {NAME}")
    try:
        inside = await connect(urlunsplit(urlsplit(dsn)._replace(path=f"/{NAME}")), statement_timeout_s=0)
        try:
            return await _measured(inside, devices, days, cache)
        finally:
            await inside.close()
    finally:
        await outside.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
        await outside.close()


async def _measured(connection: Connection, devices: int, days: int, cache: Path) -> dict[str, Any]:
    declared = kinds.load(None)
    # Whole days, so that what is cached today is right all day.
    end = clock.wall() // 86_400_000_000 * 86_400_000_000
    size = await past.make_past(connection, declared, devices=devices, days=days, end=end, cache=cache)
    answers = await questions.ask_all(connection, declared, end)
    return {"queries": [asdict(one) for one in answers], **asdict(size), "drain_with_rollups_ratio": None}
