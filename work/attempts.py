"""Orders of a round one by one: one that fails is logged with its number, and does not stop the others.

Must not know what is done to them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from store.failures import is_outage

log = structlog.get_logger(__name__)

T = TypeVar("T")

SAID_AGAIN_US = 600_000_000
"""How long the same failure is not logged again."""
_GAVE_WAY = ("40001", "40P01")
"""SQLSTATE of a transaction that gave way to another one: no outage, it is tried in the next round."""


@dataclass(slots=True, kw_only=True)
class Attempts:
    """What failed, and when that was logged last, in microseconds; kept from round to round."""

    logged: dict[tuple[str, int], int] = field(default_factory=dict)

    async def attempt(self, what: str, number: int, now: int, act: Callable[[], Awaitable[T]]) -> T | None:
        """Do one thing in its own transaction, and return what it returns; None where it failed.

        Args:
            what: is done, such as `judge`; number: of the order, alert or device that it is done to.
            now: microseconds since 1970-01-01Z.

        Raises:
            Exception: the database is away: nothing else can be done either.
        """
        try:
            return await act()
        except Exception as error:
            if getattr(error, "sqlstate", None) in _GAVE_WAY:
                log.info("gave way to another transaction; tried again", what=what, number=number)
                return None
            if is_outage(error):
                raise
            if now - self.logged.get((what, number), now - SAID_AGAIN_US) >= SAID_AGAIN_US:
                self.logged[what, number] = now
                log.exception("failed; the others go on", what=what, number=number)
            return None
