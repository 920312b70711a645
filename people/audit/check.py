"""Whether a chain of the audit is whole: no row edited, deleted, moved, added behind, or cut off. Pure.

A chain by itself does not show that all of it was written anew; heads that were kept outside do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from store.audit import FIRST, digest

HASHED = (
    "id",
    "municipality_id",
    "month",
    "number",
    "changed_at",
    "principal_id",
    "address",
    "action",
    "subject",
    "before",
    "after",
    "previous",
)
"""The fields of a row that its hash is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """Where a chain ended when it was looked at; what is kept outside of the database.

    municipality: by name, None for the whole platform. month: its first day. head: hash of row number `rows`.
    """

    municipality: str | None
    month: date
    rows: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProblem:
    """What is wrong with one row of a chain, or with its end: number and id None where there is no row."""

    municipality: str | None
    month: date
    number: int | None
    id: int | None
    message: str


@dataclass(slots=True, kw_only=True)
class ChainCheck:
    """Follows one chain from its first row to its last.

    chain: what the chain says of its own end. kept: heads of it that were kept outside.
    """

    chain: ChainHead
    expired: bool = False
    kept: Sequence[ChainHead] = ()
    rows: int = 0
    problems: list[ChainProblem] = field(default_factory=list)
    _last: str = FIRST
    _number: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Look at the next row, in the order of their numbers."""
        self.rows += 1
        number, previous = row["number"], row["previous"]
        if number != self._number + 1:
            lacking = (
                f"row {self._number + 1} is missing" if number > self._number else "a number stands twice"
            )
            self._tell(row, f"{lacking}: rows were deleted or moved")
        elif previous != self._last:
            self._tell(row, "it does not continue the row before it: a row was edited, put in or moved")
        if digest({name: row[name] for name in HASHED}) != row["hash"]:
            self._tell(row, "its fields do not have its hash: it was edited")
        for kept in self.kept:
            if kept.rows == number and kept.head != row["hash"]:
                self._tell(row, "the head that was kept outside is another: the chain was written anew")
        self._number, self._last = number, row["hash"]

    def end(self) -> list[ChainProblem]:
        """Return everything that is wrong."""
        if self.expired:
            if self.rows:
                self._tell(None, "the month has expired, and rows are there")
            self._compare_expired()
            return self.problems
        if self._number < self.chain.rows:
            cut = f"rows {self._number + 1} to {self.chain.rows} are missing"
            self._tell(None, f"{cut}: the tail was cut off")
        elif (self._number, self._last) != (self.chain.rows, self.chain.head):
            self._tell(None, "the chain ends elsewhere than it says itself: rows were put in behind")
        for kept in self.kept:
            if kept.rows > self._number:
                self._tell(
                    None, f"{kept.rows} rows were kept outside, {self._number} are there: it was cut off"
                )
        return self.problems

    def _compare_expired(self) -> None:
        for kept in self.kept:
            if kept.rows > self.chain.rows or (kept.rows == self.chain.rows and kept.head != self.chain.head):
                self._tell(None, "the head that was kept outside is another than that of the expired month")

    def _tell(self, row: Mapping[str, Any] | None, message: str) -> None:
        self.problems.append(
            ChainProblem(
                municipality=self.chain.municipality,
                month=self.chain.month,
                number=row["number"] if row else None,
                id=row["id"] if row else None,
                message=message,
            )
        )
