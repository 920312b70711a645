"""The chains of the audit in the database: verified, and their heads kept outside."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec

from devices.instants import to_datetime
from people.audit.check import ChainCheck, ChainHead, ChainProblem
from store.audit import month_of
from store.connection import Connection

PAGE = 1_000
LATE = timedelta(hours=1)
"""How long after the end of a month its head is kept: a change that began before may still be committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFindings:
    """What was looked at and what is wrong with it; complete: False when time was over before the end."""

    chains: int
    rows: int
    heads: int
    complete: bool
    problems: list[ChainProblem]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    id: int
    municipality: str | None
    municipality_id: int | None
    month: date
    rows: int
    head: str
    expired_at: datetime | None

    @property
    def end(self) -> ChainHead:
        return ChainHead(municipality=self.municipality, month=self.month, rows=self.rows, head=self.head)


_CHAINS = """
SELECT c.id, m.name AS municipality, c.municipality_id, c.month, c.rows, c.head, c.expired_at
FROM audit_chain AS c
LEFT JOIN municipality AS m ON c.municipality_id = m.id
WHERE ($1::text IS NULL OR m.name = $1) AND ($2::date IS NULL OR c.month = $2)
ORDER BY c.month, c.municipality_id NULLS FIRST
"""


async def _chains(
    connection: Connection, municipality: str | None = None, month: date | None = None
) -> list[_Chain]:
    return [_Chain(**row) for row in await connection.fetch(_CHAINS, municipality, month)]


async def heads(connection: Connection) -> list[ChainHead]:
    """Return where every chain ends now, the oldest month first."""
    return [chain.end for chain in await _chains(connection)]


_ROWS = """
SELECT id, number, changed_at, principal_id, address, action, subject, before::text, after::text, previous,
    hash
FROM audit
WHERE chain_id = $1 AND (number, id) > ($2, $3)
ORDER BY number, id
LIMIT $4
"""


async def verify(
    connection: Connection,
    kept: Sequence[ChainHead] = (),
    *,
    municipality: str | None = None,
    month: date | None = None,
    late: Callable[[], bool] = lambda: False,
) -> ChainFindings:
    """Follow chains from their first row to their last and compare them with heads kept outside.

    Chains and rows are read as they were at one instant: what is written or expires meanwhile is not seen. In
    a transaction of the caller's it is their affair that nobody else writes.

    Args:
        kept: heads of former times.
        municipality: only its chains.
        month: only chains of this month.
        late: whether to stop.
    """
    of_chain: defaultdict[tuple[str | None, date], list[ChainHead]] = defaultdict(list)
    for head in kept:
        of_chain[head.municipality, head.month].append(head)
    problems: list[ChainProblem] = []
    rows = 0
    complete = True
    async with _at_one_instant(connection):
        found = await _chains(connection, municipality, month)
        for chain in found:
            check = ChainCheck(
                chain=chain.end,
                expired=chain.expired_at is not None,
                kept=of_chain.pop((chain.municipality, chain.month), []),
            )
            complete = complete and await _follow(connection, chain, check, late)
            rows += check.rows
            if not complete:
                problems += check.problems
                break
            problems += check.end()
    if complete and municipality is None and month is None:
        problems += [_gone(one) for several in of_chain.values() for one in several if one.rows]
    return ChainFindings(chains=len(found), rows=rows, heads=len(kept), complete=complete, problems=problems)


def _at_one_instant(connection: Connection) -> AbstractAsyncContextManager[object]:
    if connection.is_in_transaction():
        return nullcontext()
    return connection.transaction(isolation="repeatable_read", readonly=True)


def _gone(head: ChainHead) -> ChainProblem:
    return ChainProblem(
        municipality=head.municipality,
        month=head.month,
        number=None,
        id=None,
        message="its head was kept outside, and the whole chain is gone",
    )


async def _follow(connection: Connection, chain: _Chain, check: ChainCheck, late: Callable[[], bool]) -> bool:
    """Give every row of a chain to its check; tell whether time was enough."""
    last = (-(2**63), 0)
    while page := await connection.fetch(_ROWS, chain.id, *last, PAGE):
        if late():
            return False
        for row in page:
            fields = dict(row)
            for name in ("before", "after"):
                fields[name] = None if fields[name] is None else json.loads(fields[name])
            check.add({**fields, "municipality_id": chain.municipality_id, "month": chain.month})
        last = (page[-1]["number"], page[-1]["id"])
    return True


def read_heads(path: Path) -> list[ChainHead]:
    """Return the heads in a file, one JSON object a line, or in every such file of a directory.

    Raises:
        ValueError: a line is no head.
        OSError: it cannot be read.
    """
    files = sorted(path.glob("*.ndjson")) if path.is_dir() else [path]
    lines = [line for file in files for line in file.read_bytes().splitlines() if line.strip()]
    return [msgspec.json.decode(line, type=ChainHead) for line in lines]


async def keep_heads(connection: Connection, directory: Path, now: int) -> list[Path]:
    """Write the heads of each month that is over into a file of its own; return the new files.

    A file that is there is never written again. `now` is in microseconds since 1970-01-01Z.
    """
    present = month_of(to_datetime(now) - LATE)
    by_month: defaultdict[date, list[ChainHead]] = defaultdict(list)
    for head in await heads(connection):
        if head.month < present:
            by_month[head.month].append(head)
    return [file for month, several in by_month.items() if (file := _keep(directory, month, several))]


def _keep(directory: Path, month: date, several: Iterable[ChainHead]) -> Path | None:
    file = directory / f"{month:%Y-%m}.ndjson"
    if file.exists():
        return None
    directory.mkdir(parents=True, exist_ok=True)
    written = file.with_suffix(".new")
    written.write_bytes(b"".join(msgspec.json.encode(head) + b"\n" for head in several))
    written.replace(file)
    return file
