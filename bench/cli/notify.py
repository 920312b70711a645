"""`nabd bench notify`: how soon people are told, and that nothing is lost or told twice."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from asyncpg import PostgresError

from bench.throughput.children import ChildFailed
from nabd.cli.output import fail, line, print_json
from nabd.embedded.postgres import EmbeddedPostgres
from store.errors import StoreError
from store.pool import connect

if TYPE_CHECKING:
    from bench.notify.kills import KillResult
    from bench.notify.storm import StormPlan, StormResult

# What measures is imported by who measures: every other command starts without it.
FAILURES = (ChildFailed, StoreError, PostgresError, OSError)
AIM_MS = 1000.0


def notify(
    seconds: Annotated[float, typer.Option(min=0.5, help="how long alerts open at the rate")] = 10.0,
    rate: Annotated[int, typer.Option(min=1, help="alerts a second, each told at once")] = 100,
    receivers: Annotated[int, typer.Option(min=1, max=100, help="of these; each alert tells one")] = 100,
    group_for: Annotated[float, typer.Option(min=0.1, help="seconds of a district's digest")] = 30.0,
) -> None:
    """Two storms against a real receiver; the last line is JSON: sent, told, doubled, lost, p99_ms.

    Exits with 1 where something was lost or told twice, or the 99th percentile is beyond a second.
    """
    from bench.notify.storm import StormPlan

    plan = StormPlan(seconds=seconds, rate=rate, receivers=receivers, group_for_s=group_for)
    try:
        result = asyncio.run(_storm(plan))
    except FAILURES as error:
        fail(str(error))
    _print(plan, result)
    print_json(result.summary())
    both = result.ungrouped.plus(result.grouped)
    if both.lost or both.doubled or both.unexpected or result.p99_ms > AIM_MS:
        raise typer.Exit(1)


def notify_kills(
    kills: Annotated[int, typer.Option(min=1, help="how often the notifier is killed")] = 100,
    seed: Annotated[int, typer.Option(help="same seed, same moments")] = 1,
) -> None:
    """Kill the notifier at random while alerts open and end; the last line is JSON.

    Exits with 1 where something was lost, or told twice by a message that was certain.
    """
    try:
        result = asyncio.run(_kills(kills, seed))
    except FAILURES as error:
        fail(str(error))
    print_json(result.summary())
    if result.counted.lost or result.unexplained or result.counted.unexpected:
        raise typer.Exit(1)


async def _kills(kills: int, seed: int) -> KillResult:
    from bench.notify.kills import killed

    async with databases() as (server, directory):
        return await killed(await database(server, "killed"), kills, seed, directory)


def _print(plan: StormPlan, result: StormResult) -> None:
    line(
        f"{plan.rate} alerts a second for {plan.seconds:g} s, ungrouped: {result.ungrouped.told} of"
        f" {result.ungrouped.sent} told, p99 {result.p99_ms:.0f} ms"
    )
    line(
        f"{plan.circuits * plan.lamps} lamps of {plan.circuits} circuits: {result.grouped.told} of"
        f" {result.grouped.sent} told to {plan.told} receivers in {result.messages[0]} messages each,"
        f" the last after {result.last_s:.1f} s"
    )


@asynccontextmanager
async def databases() -> AsyncIterator[tuple[EmbeddedPostgres, Path]]:
    """Run a database server of one's own, durable, with a directory beside it."""
    with (
        tempfile.TemporaryDirectory(prefix="nabd-bench-") as directory,
        EmbeddedPostgres(Path(directory) / "postgres") as server,
    ):
        yield server, Path(directory)


async def database(server: EmbeddedPostgres, name: str) -> str:
    """Make an empty database and return its address."""
    connection = await connect(server.dsn())
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return server.dsn(name)


async def _storm(plan: StormPlan) -> StormResult:
    from bench.notify import storm as storms

    async with databases() as (server, directory):
        first, p99_ms = await storms.ungrouped(await database(server, "ungrouped"), plan, directory)
        second, messages, last_s = await storms.grouped(await database(server, "grouped"), plan, directory)
    return storms.StormResult(
        ungrouped=first, grouped=second, p99_ms=p99_ms, messages=messages, last_s=last_s
    )
