"""`nabd rule test`: what rule files would have done with the readings there are. Writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from devices.instants import to_datetime, to_microseconds
from nabd.cli.database import OpenDatabase
from nabd.cli.database import run as on_database
from nabd.cli.output import cell, console, fail, line, print_json, table
from nabd.cli.rules.files import Files, Json, read
from nabd.cli.values import instant
from rules.definition.definition import Definition
from rules.engine.evaluate import RuleFailed
from rules.trial.findings import Findings
from rules.trial.history_trial import HistoryPass, prepare

TIMELINE = 20
"""Most alerts in the table; --json has them all."""
BAR = 40
STALLED_S = 600.0
"""Seconds without progress after which a test is given up; with progress it may take as long as it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What a test found, and how fast."""

    findings: list[Findings]
    readings: int
    evaluation_s: float


def try_rules(
    files: Files,
    since: Annotated[str, typer.Option(help="how far back: 30d, 12h, or an instant")] = "30d",
    kind: Annotated[str | None, typer.Option(help="only rules of this kind")] = None,
    device: Annotated[str | None, typer.Option(help="only readings of this device")] = None,
    as_json: Json = False,
) -> None:
    """Say which alerts rule files would have raised, and how the live rules compare. Writes nothing."""
    definitions = [d for d in read(files) if kind in (None, d.kind)]
    if not definitions:
        fail(f"no rule of kind {kind} is in these files")

    async def work(opened: OpenDatabase) -> TrialResult:
        async with asyncio.timeout(STALLED_S) as limit:
            return await _test(opened, definitions, since, device, limit)

    try:
        # A statement over a month of readings may take longer than statements of the console may.
        tested = on_database(work, statement_timeout_s=0)
    except RuleFailed as failed:
        fail(f"{failed.rule} fails on these readings: {failed}")
    if as_json:
        for one in tested.findings:
            print_json(one)
        return
    for one in tested.findings:
        _print(one)
    rate = tested.readings / tested.evaluation_s if tested.evaluation_s else 0
    line(f"{tested.readings} readings, evaluated in {tested.evaluation_s:.2f} s of one core ({rate:,.0f}/s)")


async def _test(
    opened: OpenDatabase,
    definitions: Sequence[Definition],
    since: str,
    device: str | None,
    limit: asyncio.Timeout,
) -> TrialResult:
    now = opened.now()
    began = instant(since, now)
    assert began is not None
    trial = await prepare(
        opened.connection, opened.kinds, definitions, start=to_microseconds(began), end=now, device=device
    )
    for one in trial.passes:
        await _run(opened, one, limit)
    found = await trial.findings(opened.connection)
    return TrialResult(findings=found, readings=trial.readings, evaluation_s=trial.evaluation_s)


async def _run(opened: OpenDatabase, trial: HistoryPass, limit: asyncio.Timeout) -> None:
    watched = console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=watched,
        disable=not watched.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(trial.kind.name, total=None)
        async for progress in trial.run(opened.connection):
            limit.reschedule(asyncio.get_running_loop().time() + STALLED_S)
            said = (
                f"{trial.kind.name}, {cell(to_datetime(progress.until))[:10]}, {progress.readings} readings"
            )
            bar.update(task, description=said, total=progress.of, completed=progress.done)


def _print(found: Findings) -> None:
    days = max(len(found.per_day), 1)
    line(f"{found.rule}: {len(found.alerts)} alerts in {days} days, {len(found.alerts) / days:.1f} a day")
    line(
        f"  devices: {found.devices} of {found.devices_seen}; flaps: {found.flaps};"
        f" first: {cell(found.first) or '–'}; last: {cell(found.last) or '–'}"
    )
    line(
        f"  live since then: {found.live_alerts} alerts;"
        f" the same: {found.same}, only in this test: {found.only_test}, only live: {found.only_live}"
    )
    for note in found.notes:
        line(f"  note: {note}")
    most = max(found.per_day.values(), default=0)
    for day, count in found.per_day.items():
        line(f"  {day} {'█' * round(BAR * count / most) if most else ''} {count}")
    rows = [[a.opened_at, a.ended_at, a.device, a.severity, a.live] for a in found.alerts[:TIMELINE]]
    if rows:
        table(["opened", "ended", "device", "severity", "live too"], rows)
    if len(found.alerts) > TIMELINE:
        line(f"  and {len(found.alerts) - TIMELINE} more; --json lists them all")
