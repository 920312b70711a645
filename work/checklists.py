"""Checklists of kinds, as reports answer them. Must not know where a kind is declared."""

from __future__ import annotations

from devices.kinds import Kinds
from devices.kinds.kind import ChecklistItem
from devices.registry.errors import Invalid, NotFound
from devices.suggestion import meant
from store.connection import Connection
from work.report import WorkReport

_KIND = """
SELECT device.kind FROM work_order AS o INNER JOIN device ON o.device_id = device.id WHERE o.id = $1
"""


async def checklist_of(connection: Connection, kinds: Kinds, order: int) -> tuple[ChecklistItem, ...]:
    """Return the checklist of the kind of an order's device; empty where it has none.

    Raises:
        NotFound: there is no such order.
    """
    kind: str | None = await connection.fetchval(_KIND, order)
    if kind is None:
        raise NotFound("work order", str(order), "`nabd work list` shows them")
    return kinds[kind].checklist if kind in kinds else ()


def check_answers(report: WorkReport, items: tuple[ChecklistItem, ...]) -> None:
    """Refuse answers to what is not on a checklist; what is left unanswered is accepted. Pure.

    Raises:
        Invalid: with the first of them.
    """
    known = [item.name for item in items]
    for one in report.checklist:
        if one.item not in known:
            raise Invalid(
                "checklist",
                f"{one.item!r} is not on it; {meant(one.item, known)}" if known else "there is none",
            )
