"""Everything sent against everything stored: `nabd.demo.proof`, once the platform has come to rest.

The ledger is held against the tables too: it balances, and it has counted what is there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from devices import kinds
from firmware_sim.publish_log import PublishLine
from nabd.demo.proof import Proof, compare, stored_rows
from readings import balance, ledger
from store.pool import connect

KINDS = kinds.load()
_STATE = """
SELECT
    s.batch, s.alive_at, s.caught_up_at,
    (SELECT coalesce(sum(l.stored), 0) FROM ledger AS l) AS stored
FROM shard AS s
WHERE s.name = 'main'
"""


async def at_rest(dsn: str, stored: int | None = None, within: float = 60.0) -> None:
    """Wait until so many readings are stored; None: until ingest lives and has nothing to do."""
    deadline = time.monotonic() + within
    before: tuple[object, ...] = ()
    beats = 0
    while True:
        assert time.monotonic() < deadline, (
            f"not at rest after {within:.0f} s: {before}, want {stored} stored"
        )
        connection = await connect(dsn)
        try:
            row = await connection.fetchrow(_STATE)
        finally:
            await connection.close()
        assert row is not None
        if stored is not None and row["stored"] >= stored:
            return
        quiet = row["caught_up_at"] is not None and before[:1] == (row["batch"],)
        if not quiet:
            beats = 0
        elif before[1] != row["alive_at"]:
            beats += 1
        if stored is None and beats >= 2:
            return
        before = (row["batch"], row["alive_at"], row["stored"])
        await asyncio.sleep(0.1)


async def examine(dsn: str, lines: Sequence[PublishLine], devices: Sequence[str]) -> Proof:
    """Compare what was said with the tables; the ledger must balance and agree with them."""
    connection = await connect(dsn)
    try:
        rows = await stored_rows(connection, KINDS, devices, lambda instant: instant)
        totals = await ledger.total(connection)
        counted = await balance.count_readings(connection, KINDS)
    finally:
        await connection.close()
    found = compare(lines, rows)
    assert totals.balanced, totals
    assert totals.stored == counted, f"the ledger says {totals.stored} stored, the tables hold {counted}"
    return found


def wrong(found: Proof) -> set[str]:
    """Return in what the two accounts differ; nothing where all is well."""
    return {n for n in ("lost", "duplicated", "altered", "unexpected") if getattr(found, n)}


def summary(found: Proof) -> str:
    """Return the comparison in one line."""
    return (
        f"said {found.published}, acknowledged {found.acknowledged}, stored {found.stored}: "
        f"lost {len(found.lost)}, duplicated {len(found.duplicated)}, altered {len(found.altered)}, "
        f"unexpected {len(found.unexpected)}"
    )
