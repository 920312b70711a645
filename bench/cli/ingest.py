"""`nabd bench ingest`: readings per second on this machine, where the time goes, and what others manage."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from statistics import median
from typing import Annotated

import typer
from asyncpg import PostgresError

from bench.results.summary import median_bytes, summary
from bench.throughput import ladder, open_loop
from bench.throughput.children import ChildFailed
from bench.throughput.drain import Drain
from bench.throughput.fleet import Traffic
from bench.throughput.ladder import BenchPlan, IngestBenchResult, Stage
from bench.throughput.large import LargeFleet
from bench.throughput.long_run import LongRun
from bench.throughput.open_loop import OpenLoop
from bench.throughput.recorded import RowsMissing
from nabd.cli.output import fail, line, print_json, progress, table
from nabd.embedded.broker import BrokerFailed
from store.errors import StoreError

ALWAYS = frozenset({Stage.RECORDED, Stage.COPY, Stage.DRAIN})


def ingest(
    messages: Annotated[int, typer.Option(min=1, help="messages in a run")] = 300_000,
    devices: Annotated[int, typer.Option(min=1, help="how many distinct devices")] = 5_000,
    large_fleet: Annotated[
        int, typer.Option(min=1, help="devices of the larger fleet that stage fleets compares")
    ] = 100_000,
    traffic: Annotated[
        Traffic, typer.Option(help="plain: bins, single readings; mixed: a town")
    ] = Traffic.MIXED,
    rules: Annotated[str, typer.Option(help="off, default, or how many rules each kind has")] = "default",
    peers: Annotated[bool, typer.Option(help="also measure what others use for the job")] = True,
    runs: Annotated[int, typer.Option(min=1, help="how often; medians are shown")] = 3,
    stage: Annotated[
        list[Stage] | None,
        typer.Option(help="only this stage (again for more); without: recorded, copy, drain"),
    ] = None,
    open_seconds: Annotated[float, typer.Option(min=0.5, help="how long each open-loop run lasts")] = 10.0,
    open_percent: Annotated[
        list[float] | None,
        typer.Option(min=1, help="open-loop rate in percent of the drain (again for more); 25, 50 and 80"),
    ] = None,
    open_rate: Annotated[
        list[float] | None,
        typer.Option(min=1, help="open-loop rate in messages a second instead (again for more)"),
    ] = None,
    long_seconds: Annotated[float, typer.Option(min=1, help="how long stage long lasts")] = 1_800.0,
    long_percent: Annotated[float, typer.Option(min=1, help="its rate in percent of the drain")] = 70.0,
    seed: Annotated[int, typer.Option(help="same seed, same messages")] = 1,
    dsn: Annotated[
        str | None,
        typer.Option(help="a server to make databases on, with TimescaleDB or without; else one of our own"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Messages a second from the broker to committed rows, beside the limit and beside others.

    A database and a broker of its own are started and thrown away; nothing configured is touched. A server
    that --dsn names needs track_commit_timestamp = on; databases nabd_bench_* are made on it and dropped.
    Exits with 1 where readings were lost.
    """
    if open_rate and open_percent:
        raise typer.BadParameter("a rate, or a share of the drain: not both", param_hint="--open-rate")
    if rules not in ("off", "default") and not rules.isdecimal():
        raise typer.BadParameter("off, default, or a number", param_hint="--rules")
    stages = frozenset(stage) if stage else ALWAYS | ({Stage.PEERS} if peers else set())
    plan = BenchPlan(
        messages=messages,
        devices=devices,
        large_fleet=large_fleet,
        traffic=traffic,
        rules=rules,
        runs=runs,
        stages=stages,
        open_s=open_seconds,
        open_percents=tuple(open_percent or ladder.PERCENTS),
        open_rates=tuple(open_rate or ()),
        long_s=long_seconds,
        long_percent=long_percent,
        seed=seed,
        dsn=dsn,
    )
    try:
        result = _run(plan)
    except (ChildFailed, RowsMissing, BrokerFailed, StoreError, PostgresError, OSError) as error:
        fail(str(error))
    if as_json:
        print_json(summary(result))
    else:
        _print(result)
    if result.lost:
        fail(f"{result.lost} readings were lost: please report this, with what is printed here")


def _run(plan: BenchPlan) -> IngestBenchResult:
    with progress() as bar:
        task = bar.add_task("starting a database", total=ladder.steps(plan) + 1)

        def tell(step: str) -> None:
            bar.update(task, description=step, advance=1)

        return asyncio.run(ladder.run(plan, tell))


def _print(result: IngestBenchResult) -> None:
    line("  ".join(f"{name} {value}" for name, value in result.machine.items()))
    plan = result.plan
    code = f"{'with' if result.compiled else 'without'} compiled code"
    fleet = f"{plan.devices} devices, traffic {plan.traffic}"
    line(f"{plan.messages} messages, {fleet}, rules {plan.rules}, {code}")
    if result.recorded:
        found = summary(result)
        alone = {f"decide: decoding alone, {name}": us for name, us in found["recorded_decode_us"].items()}
        steps = {**found["recorded_cpu_us"], **alone}
        table(
            ["in ingest, recorded", "CPU us a message"], [(name, f"{us:.2f}") for name, us in steps.items()]
        )
        for kind, rate in found["rule_readings_per_s"].items():
            line(f"{kind}: {rate / 1e6:.1f} million rule-readings a CPU second")
    if result.copies:
        _print_copies(result)
    drains = {"drain": result.drains} if result.drains else {}
    drains |= {f"drain, {size} devices": d for size, d in result.fleets.items()}
    drains |= {f"drain, rules {name}": d for name, d in result.rules.items()}
    drains |= {"with rollups": result.marked, "without rollups": result.unmarked} if result.marked else {}
    if drains:
        _print_drains(drains)
    for one in result.large:
        _print_large(one, result)
    if result.rollups:
        line(f"drain with rollups / without {result.rollups.ratio:.2f}")
    if result.drains and result.copies:
        line(f"drain / raw COPY {result.drain_per_s / result.raw_copy_per_s:.2f}")
    if result.open:
        _print_open(result)
    for run in result.long:
        _print_long(run)
    if result.peers:
        _print_peers(result)


def _print_copies(result: IngestBenchResult) -> None:
    sizes = sorted({c.batch_messages for c in result.copies})
    rows = []
    for size in sizes:
        mine = [c for c in result.copies if c.batch_messages == size]
        rates = [c.messages_per_s for c in mine]
        rows.append(
            (
                size,
                f"{median(rates):,.0f}",
                f"{min(rates):,.0f} .. {max(rates):,.0f}",
                f"{median(c.database_cpu_us for c in mine):.2f}",
            )
        )
    table(["raw COPY, batch", "messages/s", "spread", "database CPU us"], rows)


def _print_drains(drains: dict[str, list[Drain]]) -> None:
    columns = ["", "messages/s", "spread", "sent", "stored", "duplicate", "rejected", "lost", "alerts"]
    columns += ["ingest us", "broker us", "database us", "generator us", "MB"]
    table(columns, [_drain_row(name, runs) for name, runs in drains.items()])
    sizes = [(name, *median_bytes(runs).values()) for name, runs in drains.items()]
    table(["bytes a reading", "WAL", "tables", "indexes"], sizes)


def _drain_row(name: str, runs: Sequence[Drain]) -> Sequence[object]:
    rates = [d.messages_per_s for d in runs]
    cpu = ladder.median_cpu(runs)
    return (
        name,
        f"{median(rates):,.0f}",
        f"{min(rates):,.0f} .. {max(rates):,.0f}",
        sum(d.sent for d in runs),
        sum(d.stored for d in runs),
        sum(d.duplicates for d in runs),
        sum(d.rejected for d in runs),
        sum(d.lost for d in runs),
        sum(d.alerts for d in runs),
        *(f"{cpu[part]:.2f}" for part in ("ingest", "broker", "database", "generator")),
        f"{max(d.memory_mb for d in runs):.0f}",
    )


def _print_large(one: LargeFleet, result: IngestBenchResult) -> None:
    usual = median(d.messages_per_s for d in result.fleets[result.plan.devices])
    ratio = one.drain.messages_per_s / usual
    table(
        [f"{one.devices:,} devices", "seconds", "CPU s", "MB"],
        [
            ("start", *_plain(one.drain.start_s, one.drain.start_cpu_s, one.drain.start_mb)),
            ("start again, after draining", *_plain(one.restart_s, one.restart_cpu_s, one.restart_mb)),
            ("at most", "", "", f"{one.peak_mb:.0f}"),
        ],
    )
    line(f"drain {ratio:.2f} of that with {result.plan.devices:,} devices")
    if one.checkpoint_ms is not None:
        line(
            f"{one.checkpoints} checkpoints of rules: median {one.checkpoint_p50_ms:.0f} ms, the longest"
            f" {one.checkpoint_ms:.0f} ms, the most CPU {one.checkpoint_cpu_ms:.0f} ms"
        )


def _plain(wall_s: float, cpu_s: float, mb: float) -> tuple[str, str, str]:
    return f"{wall_s:.1f}", f"{cpu_s:.1f}", f"{mb:.0f}"


def _print_open(result: IngestBenchResult) -> None:
    columns = ["open loop", "messages/s", "sent", "stored", "lost"]
    columns += ["commit ms p50", "p99", "p99.9", "p99 spread", "alert ms p50", "p99", "p99.9", "alerts"]
    columns += ["generator late ms p99", "cores needed", "MB"]
    table(
        columns,
        [
            (
                open_loop.label(o.rate, o.percent_of_drain),
                f"{o.rate:,.0f}",
                o.sent,
                o.stored,
                o.lost,
                *o.commit_ms.values(),
                f"{o.commit_p99_spread[0]} .. {o.commit_p99_spread[-1]}",
                *o.alert_ms.values(),
                o.alerts,
                o.generator_late_ms,
                f"{o.cores_needed:.2f}",
                f"{o.memory_mb:.0f}",
            )
            for o in result.open_loops
        ],
    )
    for loop in result.open_loops:
        _print_path(loop)


BAR = 40
"""Characters of the longest bar."""


def _print_path(loop: OpenLoop) -> None:
    """Print a histogram: where the slowest hundredth of the messages spent their time."""
    if not loop.slowest_path_ms:
        line("A batch was tried more than once: where the time of messages went cannot be told.")
        return
    most = max(*loop.slowest_path_ms.values(), 0.01)
    rows = [
        (part, f"{ms:.1f}", f"{loop.path_ms[part]:.1f}", "█" * round(ms / most * BAR))
        for part, ms in loop.slowest_path_ms.items()
    ]
    rate = open_loop.label(loop.rate, loop.percent_of_drain)
    table([f"{rate}: mean ms of messages", "slowest 1 %", "all", "slowest 1 %"], rows)


def _print_long(run: LongRun) -> None:
    table(
        [f"{run.seconds:,.0f} s at {run.rate:,.0f} messages/s", "p50 ms", "p99 ms", "p99.9 ms"],
        [
            (f"first {run.window_s:.0f} s", *run.first_ms.values()),
            (f"last {run.window_s:.0f} s", *run.last_ms.values()),
        ],
    )
    line(f"sent {run.sent}, stored {run.stored}, lost {run.lost}; {run.percent_of_drain:.0f} % of drain")
    within = "unknown: too short a run" if run.growth_95 is None else f"{run.growth_95:.1f}"
    line(f"ingest {run.memory_mb:.0f} MB, growing {run.growth_mb_per_h:.1f} MB an hour, ± {within}")


def _print_peers(result: IngestBenchResult) -> None:
    rows: list[Sequence[object]] = []
    for peer in result.peers:
        if peer.absent:
            rows.append((peer.name, f"absent: {peer.absent}"))
            continue
        times = f"{result.drain_per_s / peer.messages_per_s:.1f}" if result.drains else ""
        rate = f"{peer.messages_per_s:,.0f}"
        rows.append((peer.name, rate, times, peer.sent, peer.stored, peer.lost, peer.duplicates))
    width = 7
    table(
        ["peer", "messages/s", "drain is times", "sent", "stored", "lost", "stored twice"],
        [(*row, *[None] * (width - len(row))) for row in rows],
    )
