"""A batch as ingest commits it: readings, ledger and consumer in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import numpy as np

from devices.columns import Columns, empty_values
from devices.instants import to_datetime
from devices.kinds import load
from rules.live.consumer import LiveRules

KINDS = load()


def bins(readings: Sequence[tuple[int, int, dict[str, Any]]], received_at: int) -> Columns:
    """Return readings (device, observed_at, values) of bins, each a message of its own."""
    n = len(readings)
    values = empty_values(KINDS["bin"], n)
    for i, (_, _, measured) in enumerate(readings):
        for name, value in measured.items():
            values[name][i] = value
    return Columns(
        kind=KINDS["bin"],
        device_id=np.array([d for d, _, _ in readings], dtype=np.int32),
        observed_at=np.array([o for _, o, _ in readings], dtype=np.int64),
        received_at=received_at + np.arange(n, dtype=np.int64),
        quality=np.zeros(n, dtype=np.int64),
        boot=np.full(n, -1, dtype=np.int64),
        seq=np.full(n, -1, dtype=np.int64),
        values=values,
        extra=np.full(n, None, dtype=object),
        message=np.arange(n, dtype=np.int32),
    )


class Crash(Exception):
    """The process died before COMMIT."""


def _die(wanted: bool) -> None:
    if wanted:
        raise Crash


class Ingestion:
    """Feeds batches to LiveRules the way ingest does.

    foresees: whether rows are shown before they are handed over, as they are unless repeats are among them.
    """

    foresees = True

    def __init__(self, connection: asyncpg.Connection, rules: LiveRules | None = None) -> None:
        self.connection = connection
        self.rules = rules or LiveRules(KINDS)
        self.batch = 0

    async def start(self) -> Ingestion:
        """Load, as after a start or a restart."""
        self.batch = await self.connection.fetchval("SELECT batch FROM shard WHERE name = 'main'")
        await self.rules.load(self.connection, "main")
        return self

    async def commit(self, columns: Columns, *, crash: bool = False) -> None:
        """Commit one batch, or roll it back after everything was written."""
        try:
            async with self.connection.transaction():
                if self.foresees:
                    self.rules.foresee(columns)
                await self._store(columns)
                now = int(columns.received_at.max())
                await self.rules.consume(self.connection, self.batch + 1, [columns], now)
                _die(crash)
        except BaseException:
            self.rules.rolled_back()
            raise
        self.batch += 1
        self.rules.committed()

    async def _store(self, columns: Columns) -> None:
        number = self.batch + 1
        await self.connection.execute("UPDATE shard SET batch = $1 WHERE name = 'main'", number)
        names = [name for name, values in columns.values.items() if values.dtype != object]
        places = ", ".join(f"${i}" for i in range(4, 4 + len(names)))
        await self.connection.executemany(
            f"INSERT INTO {columns.kind.name}_reading"
            f" (device_id, observed_at, received_at, quality, {', '.join(names)})"
            f" VALUES ($1, $2, $3, 0, {places})",
            [self._row(columns, i, names) for i in range(len(columns))],
        )
        await self.connection.execute(
            "INSERT INTO ledger (shard, batch, received_at, oldest_observed_at, messages, received, stored,"
            " duplicate, rejected, undated) VALUES ('main', $1, $2, $3, $4, $4, $4, 0, 0, 0)",
            number,
            to_datetime(int(columns.received_at.max())),
            to_datetime(int(columns.observed_at.min())),
            len(columns),
        )

    def _row(self, columns: Columns, i: int, names: list[str]) -> tuple[Any, ...]:
        boolean = {m.name for m in columns.kind.measurements if m.type == "boolean"}
        values = [None if np.isnan(v := columns.values[n][i]) else float(v) for n in names]
        values = [
            bool(v) if n in boolean and v is not None else v for n, v in zip(names, values, strict=True)
        ]
        at = (to_datetime(int(columns.observed_at[i])), to_datetime(int(columns.received_at[i])))
        return (int(columns.device_id[i]), *at, *values)
