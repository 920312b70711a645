"""`nabd bench queries`: how long questions about a day and a year take, and how much room they need."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import typer

from bench.cli.notify import database, databases
from bench.queries import past, questions
from bench.throughput import ladder
from devices import kinds
from nabd import clock
from nabd.cli.output import line, print_json, progress, table
from nabd.embedded.broker import find_mosquitto
from nabd.embedded.postgres import EmbeddedPostgres
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
    keep: Annotated[
        Path | None,
        typer.Option(help="directory of a database that stays: the next run with it only asks"),
    ] = None,
    messages: Annotated[
        int, typer.Option(min=0, help="of each drain that shows what rollups cost ingest; 0: none")
    ] = 20_000,
    runs: Annotated[int, typer.Option(min=1, help="how often ingest drains with rollups, and without")] = 3,
    beside: Annotated[
        Path | None,
        typer.Option(
            help="what scripts/bench-timescale printed: its columnstore is told beside", exists=True
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object alone")] = False,
) -> None:
    """Ask what screens and panels ask, of a past by the simulator's physics; then drain, in turns.

    The long form: --devices 2000 --days 365 --keep var/bench-year. The last line is one JSON object.
    A configured database is never touched.
    """
    if keep is not None and dsn is not None:
        raise typer.BadParameter("a database that stays is one of our own: leave out --dsn or --keep")
    other = json.loads(beside.read_text()) if beside is not None else None
    if other is not None and not {"devices", "days", "compression_ratio"} <= other.keys():
        raise typer.BadParameter(f"{beside} is not what scripts/bench-timescale of this version prints")
    if keep is not None:
        found = asyncio.run(_kept(keep, devices, days, cache))
    else:
        found = asyncio.run(_on_server(dsn, devices, days, cache))
    drained = asyncio.run(_drained(messages, runs)) if messages else None
    if other is not None:
        # The plain edition has no columnstore: then the ratio is the other's, whose size `timescale` says.
        ratio = found["compression_ratio"] or other["compression_ratio"]
        found |= {"timescale": other, "compression_ratio": ratio}
    found |= {"drain_with_rollups_ratio": drained and drained["ratio"], "drains": drained}
    if not as_json:
        for one in (found, other):
            if one is not None:
                _print(one)
        if drained:
            line(
                f"ingest drains with rollups / without {drained['ratio']}:"
                f" {drained['sent']} readings sent, {drained['stored']} stored, {drained['lost']} lost"
            )
    print_json(found)


def _print(found: Mapping[str, Any]) -> None:
    table(
        ("question", "span", "p50 ms", "p95 ms", "rows"),
        [tuple(one.values()) for one in found["queries"]],
    )
    of = f"{found['devices']} devices, {found['days']} days"
    line(f"{of}: {found['readings']:,} readings, {found['bytes_per_row']} bytes each with indexes")
    rolled = found["rollup_bytes_per_reading"]
    line(f"hours and days: {rolled} bytes a reading, {found['rollup_lag_s']} s behind")
    if values := found["column_bytes"]:
        line(f"columnstore of {of}: 1/{found['compression_ratio']}; bytes of a value:")
        table(("column", "bytes"), list(values.items()))
    line(f"made in {found['made_s']} s, rolled up in {found['rolled_s']} s")


async def _kept(directory: Path, devices: int, days: int, cache: Path) -> dict[str, Any]:
    """Ask the database in a directory, made if it is not there yet; a making that was cut is continued."""
    begun, made = directory / "begun.json", directory / "past.json"
    server = EmbeddedPostgres(directory / "postgres")
    if not begun.exists():
        server.delete()
    with server:
        if not begun.exists():
            await database(server, NAME)
            begun.write_text(json.dumps({"devices": devices, "days": days, "end": _end()}))
        plan = json.loads(begun.read_text())
        if (plan["devices"], plan["days"]) != (devices, days):
            raise typer.BadParameter(
                f"{directory} holds {plan['devices']} devices and {plan['days']} days:"
                " say the same, or another directory"
            )
        connection = await connect(server.dsn(NAME), statement_timeout_s=0)
        try:
            if not made.exists():
                size = await _make(connection, plan, cache)
                made.write_text(json.dumps(plan | asdict(size)))
            past_of = json.loads(made.read_text())
            answers = await questions.ask_all(connection, kinds.load(None), past_of["end"])
        finally:
            await connection.close()
    return {
        "queries": [asdict(one) for one in answers],
        **{name: value for name, value in past_of.items() if name != "end"},
    }


async def _make(connection: Connection, plan: Mapping[str, int], cache: Path) -> past.PastSize:
    with progress() as bar:
        task = bar.add_task("making devices", total=100)

        def tell(what: str, share: float) -> None:
            bar.update(task, description=what, completed=round(share * 100))

        return await past.make_past(
            connection,
            kinds.load(None),
            devices=plan["devices"],
            days=plan["days"],
            end=plan["end"],
            cache=cache,
            tell=tell,
        )


def _end() -> int:
    """Return when the past ends. Whole days, so that what is cached today is right all day."""
    return clock.wall() // 86_400_000_000 * 86_400_000_000


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
    plan = {"devices": devices, "days": days, "end": _end()}
    size = await _make(connection, plan, cache)
    answers = await questions.ask_all(connection, kinds.load(None), plan["end"])
    return {"devices": devices, "days": days, "queries": [asdict(one) for one in answers], **asdict(size)}


async def _drained(messages: int, runs: int) -> dict[str, Any] | None:
    """Return what rollups cost ingest, on a database and a broker of its own; None without mosquitto."""
    if find_mosquitto() is None:
        typer.echo("no drains: they need mosquitto (Debian: apt install mosquitto)", err=True)
        return None
    plan = ladder.BenchPlan(messages=messages, runs=runs, stages=frozenset({ladder.Stage.ROLLUPS}))
    done = await ladder.run(plan, lambda _: None)
    assert done.rollups is not None
    return done.rollups.summary()
