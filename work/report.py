"""Reports: what somebody found and did, the parts they used, and the answers of the checklist.

A reopened order that is done again has one report more. Must not know which checklist a kind has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import isfinite
from typing import Literal

import msgspec

from devices.instants import to_datetime
from devices.registry.errors import Invalid
from store.connection import Connection
from work.change import WorkStep

TEXT_LENGTH = 4000
NAME_LENGTH = 200
UNIT_LENGTH = 20
MOST_PARTS, MOST_ITEMS = 100, 100

CheckAnswer = Literal["yes", "no", "not-applicable"]
ANSWERS: tuple[CheckAnswer, ...] = ("yes", "no", "not-applicable")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedPart:
    """Something that was used. unit: such as m; empty: pieces."""

    name: str
    quantity: float = 1.0
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedItem:
    """The answer to one item of a checklist, by the item's name."""

    item: str
    answer: CheckAnswer
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkReport:
    """What somebody found and did."""

    found: str
    done: str
    parts: Sequence[UsedPart] = ()
    checklist: Sequence[CheckedItem] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A report as it is kept. number: the first of an order is 1. reported_at: by the author's clock."""

    number: int
    author: str
    found: str
    done: str
    parts: Sequence[UsedPart]
    checklist: Sequence[CheckedItem]
    reported_at: datetime


def check_report(report: WorkReport) -> None:
    """Refuse a report that cannot be kept. Pure.

    Raises:
        Invalid: with the first thing that is wrong.
    """
    _check_text("found", report.found, TEXT_LENGTH, least=0)
    _check_text("done", report.done, TEXT_LENGTH, least=1)
    if len(report.parts) > MOST_PARTS:
        raise Invalid("parts", f"are at most {MOST_PARTS}")
    for part in report.parts:
        _check_text("parts", part.name, NAME_LENGTH, least=1)
        _check_text("parts", part.unit, UNIT_LENGTH, least=0)
        if not (isfinite(part.quantity) and 0 < part.quantity <= 1_000_000):
            raise Invalid("parts", f"{part.name!r}: the quantity is more than 0 and at most 1,000,000")
    _check_items(report.checklist)


def _check_items(items: Sequence[CheckedItem]) -> None:
    if len(items) > MOST_ITEMS:
        raise Invalid("checklist", f"has at most {MOST_ITEMS} items")
    for one in items:
        _check_text("checklist", one.item, NAME_LENGTH, least=1)
        _check_text("checklist", one.remark, TEXT_LENGTH, least=0)
        if one.answer not in ANSWERS:
            raise Invalid("checklist", f"{one.item!r} is answered with one of {', '.join(ANSWERS)}")
    if len({one.item for one in items}) < len(items):
        raise Invalid("checklist", "names an item twice")


def _check_text(field: str, text: str, longest: int, *, least: int) -> None:
    if not least <= len(text.strip()) or len(text) > longest:
        raise Invalid(field, f"has {least} to {longest} characters")
    if "\x00" in text:
        raise Invalid(field, "has a sign that cannot be stored (NUL)")


_ADD = """
INSERT INTO work_report (
    order_id, number, author_id, found, done, parts, checklist, reported_at, created_at
)
SELECT $1, coalesce(max(r.number), 0) + 1, $2, $3, $4, $5, $6, $7, $8
FROM work_report AS r
WHERE r.order_id = $1
RETURNING number
"""


async def store_report(
    connection: Connection, order: int, report: WorkReport, step: WorkStep, *, reported_at: datetime
) -> int:
    """Store a report, in the transaction that locked the order, and return its number."""
    number: int = await connection.fetchval(
        _ADD,
        order,
        step.by.principal,
        report.found.strip(),
        report.done.strip(),
        [asdict(part) for part in report.parts],
        [asdict(one) for one in report.checklist],
        reported_at,
        to_datetime(step.now),
    )
    return number


_OF_ORDER = """
SELECT r.number, author.name AS author, r.found, r.done, r.parts, r.checklist, r.reported_at
FROM work_report AS r
INNER JOIN named_principal AS author ON r.author_id = author.id
WHERE r.order_id = $1
ORDER BY r.number
"""


async def reports(connection: Connection, order: int) -> list[StoredReport]:
    """Return the reports of an order, the first first."""
    return [msgspec.convert(dict(row), StoredReport) for row in await connection.fetch(_OF_ORDER, order)]
