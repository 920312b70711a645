"""The audit as it is written: who changed what, from where, before and after, in the change's transaction.

Rows of one municipality and month are a chain: each holds the hash of the one before it and its own. People
stand in it by the number of their principal; secrets, what is known of a person and what people write freely
are left out. Must not know what is changed, nor who reads it (people.audit).
"""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from store.canonical_json import canonical
from store.connection import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LEFT_OUT = frozenset(
    {
        "password",
        "password_hash",
        "token",
        "token_hash",
        "hash",
        "secret",
        "totp_secret",
        "recovery_codes",
        "display_name",
        "phone",
        "email",
        "reason",
        "retired_reason",
        "removed_reason",
    }
)
"""Fields whose values never enter the audit, at any depth; that they changed is recorded.

Secrets, what is known of a person, and what people write freely: rows are kept for years and never changed.
"""
LEFT_OUT_OF_PEOPLE = frozenset({"name", "title", "channels", "calendar"})
"""Fields left out of changes of people (actions `person.*`) too."""
OMITTED = "(left out)"
FIRST = "0" * 64
"""What stands in the first row of a chain for the hash of the one before."""
ADDED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, and from where: a principal's number; an address, or the name of a machine."""

    principal: int
    address: str


PLATFORM = Actor(principal=0, address="")
"""What the product does by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedChange:
    """One change of state.

    municipality: its number, None for what concerns the whole platform. action: noun and verb, such as
    `device.retire`. subject: the name of what was changed, a person's number for people. before, after: the
    fields that differ; None where there was or is nothing.
    """

    municipality: int | None
    action: str
    subject: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnd:
    """Where a chain ends: that of a municipality (by number, None: the whole platform) in a month.

    month: its first day. rows: how many there are. head: the hash of the last one, FIRST where there is none.
    """

    municipality: int | None
    month: date
    rows: int = 0
    head: str = FIRST


async def record(
    connection: Connection,
    *,
    by: Actor,
    municipality: int | None,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: int,
) -> None:
    """Record one change within the transaction that makes it, after the rows it changes; see AuditedChange.

    Whoever records for the same municipality waits until the transaction ends.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    change = AuditedChange(
        municipality=municipality, action=action, subject=subject, before=before, after=after
    )
    await record_many(connection, [change], by=by, now=now)


async def record_many(
    connection: Connection, changes: Sequence[AuditedChange], *, by: Actor, now: int
) -> None:
    """Record changes in their order, as `record` does one."""
    of_chain: defaultdict[int | None, list[AuditedChange]] = defaultdict(list)
    for change in changes:
        of_chain[change.municipality].append(change)
    # No savepoint of its own: two round trips less.
    async with nullcontext() if connection.is_in_transaction() else connection.transaction():
        # In one order, so that two who record for several municipalities never wait for each other. The whole
        # platform comes last: changes of rules take its chain after the rows of the shards.
        for municipality in sorted(of_chain, key=lambda number: (number is None, number or 0)):
            await _extend(
                connection, municipality, of_chain[municipality], by, EPOCH + timedelta(microseconds=now)
            )


# The update changes nothing: it takes the row's lock.
_TAKE = """
INSERT INTO audit_chain AS chain (municipality_id, month) VALUES ($1, $2)
ON CONFLICT (municipality_id, month) DO UPDATE SET rows = chain.rows
RETURNING
    chain.id, chain.rows, chain.head,
    ARRAY(SELECT nextval('audit_id_seq') FROM generate_series(1, $3::integer)) AS ids
"""

_ADD = """
WITH added AS (
    INSERT INTO audit (
        id, chain_id, number, changed_at, principal_id, address, action, subject, before, after, previous,
        hash
    ) OVERRIDING SYSTEM VALUE
    SELECT r.id, $1, r.number, $2, $3, $4, r.action, r.subject, r.before::json, r.after::json, r.previous,
        r.hash
    FROM unnest(
        $5::bigint [], $6::bigint [], $7::text [], $8::text [], $9::text [], $10::text [], $11::text [],
        $12::text []
    ) AS r (id, number, action, subject, before, after, previous, hash)
)

UPDATE audit_chain SET rows = rows + cardinality($5), head = $13 WHERE id = $1
"""


async def _extend(
    connection: Connection,
    municipality: int | None,
    changes: Sequence[AuditedChange],
    by: Actor,
    at: datetime,
) -> None:
    month = month_of(at)
    chain = await connection.fetchrow(_TAKE, municipality, month, len(changes))
    assert chain is not None
    end = ChainEnd(municipality=municipality, month=month, rows=chain["rows"], head=chain["head"])
    for start in range(0, len(changes), ADDED_AT_ONCE):
        several = slice(start, start + ADDED_AT_ONCE)
        rows = linked(end, chain["ids"][several], changes[several], by, at)
        end = replace(end, rows=rows[-1]["number"], head=rows[-1]["hash"])
        columns = ("id", "number", "action", "subject", "before", "after", "previous", "hash")
        texts = [{**row, "before": _text(row["before"]), "after": _text(row["after"])} for row in rows]
        values = [[row[column] for row in texts] for column in columns]
        await connection.execute(_ADD, chain["id"], at, by.principal, by.address, *values, end.head)


def month_of(at: datetime) -> date:
    """Return the first day of an instant's month, UTC."""
    return at.astimezone(UTC).date().replace(day=1)


def linked(
    end: ChainEnd, ids: Sequence[int], changes: Sequence[AuditedChange], by: Actor, at: datetime
) -> list[dict[str, Any]]:
    """Return the rows that continue a chain, with every field that is hashed, and `hash`. Pure.

    Args:
        end: where the chain ends.
        ids: the numbers of the rows, one a change.
    """
    rows: list[dict[str, Any]] = []
    head = end.head
    for row_id, number, change in zip(ids, itertools.count(end.rows + 1), changes, strict=False):
        before, after = shown(change)
        fields = {
            "id": row_id,
            "municipality_id": end.municipality,
            "month": end.month,
            "number": number,
            "changed_at": at,
            "principal_id": by.principal,
            "address": by.address,
            "action": change.action,
            "subject": change.subject,
            "before": before,
            "after": after,
            "previous": head,
        }
        head = digest(fields)
        rows.append({**fields, "hash": head})
    return rows


def digest(fields: Mapping[str, Any]) -> str:
    """Return the hash of a row: SHA-256 over the canonical JSON of its fields, in hexadecimal digits."""
    return hashlib.sha256(canonical(fields).encode()).hexdigest()


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return of two states the fields that differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {n: before.get(n) for n in names}, {n: after.get(n) for n in names}


def _text(value: Any) -> str | None:
    return None if value is None else canonical(value)


def shown(change: AuditedChange) -> tuple[Any, Any]:
    """Return before and after of a change without what is left out."""
    hidden = LEFT_OUT | LEFT_OUT_OF_PEOPLE if change.action.startswith("person.") else LEFT_OUT
    return _without(change.before, hidden), _without(change.after, hidden)


def _without(value: Any, hidden: frozenset[str]) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {
            str(name): OMITTED if name in hidden and inner is not None else _without(inner, hidden)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without(inner, hidden) for inner in value]
    return value
