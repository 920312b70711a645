"""Orders as figures see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from work.figures.facts import OrderFacts
from work.figures.span import FigurePeriod
from work.order import WorkState

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = FigurePeriod(from_at=MONDAY, until_at=MONDAY + timedelta(days=7))


def at(hours: float) -> datetime:
    """Return an instant so long after the week began."""
    return MONDAY + timedelta(hours=hours)


def order(**more: Any) -> OrderFacts:
    """Return an order that was made as the week began, open and with no deadline."""
    facts: dict[str, Any] = {
        "team": None, "district": None, "kind": "bin", "rule": None, "state": WorkState.OPEN,
        "created_at": MONDAY, "response_due_at": None, "repair_due_at": None, "accepted_at": None,
        "ended_at": None, "verification": None, "verified_at": None,
    }  # fmt: skip
    return OrderFacts(**{**facts, **more})
