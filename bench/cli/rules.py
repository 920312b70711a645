"""`nabd bench rules`: how good the default rules are, on months of a simulated town with labelled faults."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import Annotated

import typer

from bench import CHECKOUT
from bench.rules import bench, table
from bench.rules.bench import RuleBenchResult
from bench.rules.town import Numbers
from nabd.cli import output
from nabd.cli.output import complain, fail, line, print_json, progress

_DEFAULT = Numbers()


def rules(
    seed: Annotated[
        list[int] | None,
        typer.Option(help="again for more towns; without: from the hashes of the commit and its parents"),
    ] = None,
    days: Annotated[float, typer.Option(min=0.01, help="how long each town is watched")] = _DEFAULT.days,
    bins: Annotated[int, typer.Option(min=0)] = _DEFAULT.bins,
    lights: Annotated[int, typer.Option(min=0)] = _DEFAULT.lights,
    drones: Annotated[int, typer.Option(min=0)] = _DEFAULT.drones,
    processes: Annotated[int, typer.Option(min=1, help="how many at once")] = max(1, os.cpu_count() or 1),
    as_json: Annotated[bool, typer.Option("--json", help="only one JSON object per seed")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="tables for a document")] = False,
    details: Annotated[bool, typer.Option(help="name every missed fault and false alert")] = False,
) -> None:
    """Precision, recall and delay of every default rule against what was really broken.

    Simulated months go straight through acceptance and rules, on the simulator's clock and without a
    database. Exits with 1 when a rule saw too few faults to be judged.
    """
    numbers = Numbers(days=days, bins=bins, lights=lights, drones=drones)
    results = _run(seed or default_seeds(), numbers, processes)
    if as_markdown:
        typer.echo(table.markdown(results), nl=False)
    for result in results:
        if not as_json and not as_markdown:
            _show(result, details=details)
        print_json(table.as_object(result))
    lacking = {rule for result in results for rule in result.insufficient}
    if lacking:
        fail(f"insufficient faults for {', '.join(sorted(lacking))}: simulate more devices or days")


def _run(seeds: Sequence[int], numbers: Numbers, processes: int) -> list[RuleBenchResult]:
    with progress() as bar:
        results = []
        for seed in seeds:
            total = sum(group.device_days for group in bench.groups(seed, numbers))
            task = bar.add_task(f"seed {seed}, device-days", total=round(total))
            results.append(
                bench.run(seed, numbers, processes=processes, progress=lambda d, t=task: bar.advance(t, d))  # type: ignore[misc]
            )
    return results


def _show(result: RuleBenchResult, *, details: bool) -> None:
    line(table.summary(result))
    output.table(table.HEADINGS, [*table.rows(result.scores), *table.class_rows(result)])
    for rule, faults in result.without_rule.items():
        line(f"no rule yet for {faults} labelled faults of {rule}")
    if details:
        for name, one in [("", result), *((f"{name}, ", one) for name, one in result.apart.items())]:
            for fault in one.found.missed:
                line(f"{name}missed: {table.fault(fault)}")
            for alert in one.found.false:
                line(f"{name}false: {table.opening(alert)}")


def default_seeds() -> list[int]:
    """Return the first eight hexadecimal digits of the commit's hash and of its parents', as numbers.

    A commit with one parent counts its grandparent as the second. Nobody can tune rules to them.
    """
    command = ["git", "-C", str(CHECKOUT), "rev-list", "--parents", "--max-count=2", "HEAD"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        complain("no commit to take seeds from: using 1, 2 and 3")
        return [1, 2, 3]
    hashes = list(dict.fromkeys(said.stdout.split()))[:3]
    return [int(found[:8], 16) for found in hashes]
