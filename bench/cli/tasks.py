"""`nabd bench tasks`: what people's tasks take, by clicks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.console import FAILURES
from bench.cli.screens import DAYS, lived
from nabd.cli.output import fail, line, print_json

if TYPE_CHECKING:
    from bench.console.tasks.task import PersonTask, TaskCount


def tasks(
    only: Annotated[str, typer.Option(help="only these tasks, by commas")] = "",
    days: Annotated[float, typer.Option(min=0, help="of the past that the town has")] = DAYS,
    write: Annotated[
        Path | None, typer.Option(help="put the table into this page, such as docs/tasks.md")
    ] = None,
) -> None:
    """Do the tasks of docs/tasks.md in a browser and count clicks; the last line is JSON, clicks by task.

    Each starts on the page where its person is anyway. Seconds are those of this machine: for orientation.
    """
    from bench.console.tasks.office import OFFICE
    from bench.console.tasks.operator import OPERATOR
    from bench.console.tasks.table import write as write_table
    from bench.console.tasks.task import named
    from bench.console.tasks.technician import TECHNICIAN

    try:
        chosen = named([*OPERATOR, *TECHNICIAN, *OFFICE], only)
        counts = asyncio.run(_count(chosen, days))
        if write is not None:
            write_table(counts, write)
    except (*FAILURES, ValueError, AssertionError) as error:
        fail(str(error))
    print_json({one.task.name: one.clicks for one in counts})


async def _count(chosen: list[PersonTask], days: float) -> list[TaskCount]:
    from bench.console.tasks.task import count

    counts = []
    async with lived(days) as (browser, url, cookies):
        for task in chosen:
            found = await count(browser, url, cookies[task.who], task)
            counts.append(found)
            line(
                f"{task.name}: {found.clicks} clicks, {found.fields} fields, {found.keys} keys,"
                f" {found.seconds:.1f} s: {task.what}"
            )
    return counts
