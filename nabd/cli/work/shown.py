"""Options of `nabd work`, and how an order is printed."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

import typer

from nabd.cli import output, values
from nabd.cli.database import OpenDatabase
from work.change import WorkStep
from work.listing import get_order, overdue
from work.order import WorkOrder

Number = Annotated[int, typer.Argument(min=1, help="its number, as `nabd work list` shows it")]
At = Annotated[
    str | None,
    typer.Option("--at", help="when it happened, with offset; at most 7 days back; now without it"),
]
Reason = Annotated[str, typer.Option(help="why")]


async def step_of(opened: OpenDatabase, author: str, at: str | None = None) -> WorkStep:
    """Return the step that options ask for; whoever runs commands acts on all work."""
    happened = values.later("--at", at)
    return WorkStep(by=await opened.actor(author), now=opened.now(), happened_at=happened)


async def read_order(opened: OpenDatabase, order: int) -> tuple[WorkOrder, int]:
    """Return an order as it is now, and when that is (microseconds)."""
    return await get_order(opened.connection, order), opened.now()


def print_order(found: tuple[WorkOrder, int], *, as_json: bool) -> None:
    """Print how an order stands, in a line or as JSON."""
    order, now = found
    if as_json:
        output.print_json(as_document(order, now))
        return
    output.line(f"work order {order.id}, {order.device}: {order.state}, {whose(order)}")


def as_document(order: WorkOrder, now: int) -> dict[str, Any]:
    """Return an order as JSON shows it, as the API does."""
    return {f.name: getattr(order, f.name) for f in fields(order)} | {"overdue": overdue(order, now)}


def whose(order: WorkOrder) -> str:
    """Return in words whose an order is."""
    if order.assignee is not None:
        return order.assignee if order.team is None else f"{order.assignee} of {order.team}"
    return f"team {order.team}" if order.team is not None else "nobody's"
