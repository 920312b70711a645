"""The table of docs/tasks.md, made of what was counted; what stands around it is a person's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.console.tasks.rivals import RIVALS, RivalSteps
from bench.console.tasks.task import TaskCount

BEGIN, END = "<!-- counted by nabd bench tasks -->", "<!-- until here -->"
HEAD = """\
| task | clicks | fields | keys | s | the same elsewhere |
|---|---|---|---|---|---|"""


def rows(counts: Sequence[TaskCount]) -> str:
    """Return a table for each occupation."""
    parts = []
    for who in dict.fromkeys(one.task.who for one in counts):
        own = [_row(one) for one in counts if one.task.who is who]
        parts.append(f"**{who.value.capitalize()}**\n\n{HEAD}\n" + "\n".join(own))
    return "\n\n".join(parts)


def write(counts: Sequence[TaskCount], page: Path) -> None:
    """Put the tables between their marks in a page.

    Raises:
        ValueError: the page has no such marks.
    """
    said = page.read_text(encoding="utf-8")
    before, found, rest = said.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"{page} has no place for the table: {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n\n{rows(counts)}\n\n{END}{after}", encoding="utf-8")


def _row(one: TaskCount) -> str:
    task = one.task
    return (
        f"| {task.what} | {one.clicks} | {one.fields or ''} | {one.keys or ''} | {one.seconds:.0f}"
        f" | {_elsewhere(RIVALS.get(task.name, ()))} |"
    )


def _elsewhere(found: Sequence[RivalSteps]) -> str:
    told = [f"[{one.product}]({one.page}) {one.steps}: {one.note}" for one in found]
    return "; ".join(told) or "–"
