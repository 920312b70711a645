"""The publish log of devices against the stored readings: lost, duplicated, altered, unexpected.

The ledger balances by construction and so proves nothing; this compares two independent records.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from devices.instants import to_microseconds
from devices.kinds import Kinds
from devices.kinds.kind import Kind
from firmware_sim.publish_log import PublishLine, digest
from readings.tables import table_of
from store.connection import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ACCEPTED = 0x00
"""PUBACK reason of a message that the broker will deliver; 0x10 (no subscriber) and errors are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """One stored reading, for comparison. Times are microseconds since 1970-01-01Z."""

    device: str
    observed_at: int
    hash: str
    committed_at: int | None


@dataclass(slots=True, kw_only=True)
class Proof:
    """The comparison. `lost`, `duplicated`, `altered` and `unexpected` hold what is wrong, and must be empty.

    published: distinct readings that were to be stored; acknowledged: those that the broker acknowledged.
    commit_delays: microseconds from the first publish of a reading to its commit, where known.
    """

    published: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    commit_delays: list[int] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Tell whether nothing was lost, stored twice, altered or unexpected."""
        return not (self.lost or self.duplicated or self.altered or self.unexpected)


@dataclass(slots=True)
class _Said:
    """One reading of a device as published, with all attempts to publish it."""

    line: PublishLine
    first_at: int
    acknowledged: bool


def read_log(path: Path) -> list[PublishLine]:
    """Return the lines of a publish log; a last line cut short by a kill is left out."""
    decoder = msgspec.json.Decoder(PublishLine)
    lines = path.read_bytes().split(b"\n")
    return [decoder.decode(line) for line in lines[:-1]]


def compare(lines: Iterable[PublishLine], rows: Iterable[StoredRow]) -> Proof:
    """Compare a publish log with the stored readings.

    A reading under a right clock is found by its instant. One under a wrong clock, whose stored instant
    depends on when it was received, is found by device and hash.
    """
    proof = Proof()
    by_instant: dict[tuple[str, int], _Said] = {}
    by_hash: defaultdict[tuple[str, str], list[_Said]] = defaultdict(list)
    undated: dict[tuple[str, str, object], _Said] = {}
    for line in lines:
        if line.bad is not None:
            continue
        if line.clock == "right" and line.observed_at is not None:
            said = by_instant.get((line.device, line.observed_at))
            if said is None:
                by_instant[line.device, line.observed_at] = _Said(line, line.published_at, _taken(line))
            else:
                said.acknowledged |= _taken(line)
        else:
            key = (line.device, line.hash, line.ts)
            if key not in undated:
                undated[key] = said = _Said(line, line.published_at, _taken(line))
                by_hash[line.device, line.hash].append(said)
            else:
                undated[key].acknowledged |= _taken(line)
    proof.published = len(by_instant) + len(undated)
    proof.acknowledged = sum(s.acknowledged for s in (*by_instant.values(), *undated.values()))
    found: set[tuple[str, int | str]] = set()
    for row in rows:
        _match(proof, row, by_instant, by_hash, found)
    missing = [*by_instant.values(), *(said for many in by_hash.values() for said in many)]
    proof.lost = [
        f"{s.line.device} at {s.line.observed_at} ts {s.line.ts}" for s in missing if s.acknowledged
    ]
    return proof


def _taken(line: PublishLine) -> bool:
    return line.puback == ACCEPTED


def _match(
    proof: Proof,
    row: StoredRow,
    by_instant: dict[tuple[str, int], _Said],
    by_hash: defaultdict[tuple[str, str], list[_Said]],
    found: set[tuple[str, int | str]],
) -> None:
    """Move the published reading of a row, found by instant or hash, to `found`."""
    proof.stored += 1
    said = by_instant.pop((row.device, row.observed_at), None)
    if said is None:
        waiting = [] if (row.device, row.observed_at) in found else by_hash[row.device, row.hash]
        if not waiting:
            again = (row.device, row.observed_at) in found or (row.device, row.hash) in found
            wrong = proof.duplicated if again else proof.unexpected
            wrong.append(f"{row.device} at {row.observed_at}")
            return
        said = waiting.pop(0)
        found.add((row.device, row.hash))
    else:
        found.add((row.device, row.observed_at))
        if said.line.hash != row.hash:
            proof.altered.append(f"{row.device} at {row.observed_at}")
    if row.committed_at is not None:
        proof.commit_delays.append(row.committed_at - said.first_at)


async def stored_rows(
    connection: Connection,
    kinds: Kinds,
    devices: Sequence[str],
    at: Callable[[int], int],
    *,
    since: datetime = EPOCH,
) -> list[StoredRow]:
    """Return every stored reading of the named devices that was received from `since` on.

    Commit times are the server's (track_commit_timestamp); `at` converts its clock to that of the log.
    """
    timed = await connection.fetchval("SHOW track_commit_timestamp") == "on"
    rows: list[StoredRow] = []
    for kind in kinds.values():
        for record in await connection.fetch(_query(kind, timed), list(devices), since):
            committed = record["committed_at"]
            rows.append(
                StoredRow(
                    device=sys.intern(record["device"]),
                    observed_at=to_microseconds(record["observed_at"]),
                    hash=digest(kind, _values(kind, record)),
                    committed_at=None if committed is None else at(to_microseconds(committed)),
                )
            )
    return rows


def _query(kind: Kind, timed: bool) -> str:
    names = ", ".join(f"r.{m.name}" for m in kind.measurements)
    committed = "pg_xact_commit_timestamp(r.xmin)" if timed else "NULL::timestamptz"
    return (
        f"SELECT d.name AS device, r.observed_at, {committed} AS committed_at, {names}"  # noqa: S608
        f" FROM {table_of(kind).name} AS r INNER JOIN device AS d ON d.id = r.device_id"
        " WHERE d.name = ANY($1) AND r.received_at >= $2"
    )


def _values(kind: Kind, record: Any) -> dict[str, Any]:
    return {m.name: record[m.name] for m in kind.measurements}
