"""The audit in the database: it only grows, is read by filter, and shows what was done behind its back."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from devices.instants import to_microseconds
from people.audit import chains, expiry, listing
from people.audit.check import ChainHead
from people.audit.listing import AuditFilter, AuditRow
from store.audit import PLATFORM, Actor, AuditedChange, record, record_many
from store.connection import Connection
from tests.actors import actor

OCTOBER = to_microseconds(datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC))
NOVEMBER = to_microseconds(datetime(2026, 11, 1, 0, 0, 0, tzinfo=UTC))
DAY = 86_400_000_000


@pytest.fixture
async def rima(connection: asyncpg.Connection) -> Actor:
    """Somebody, in a platform of two towns."""
    await connection.execute("INSERT INTO municipality (name) VALUES ('tripoli'), ('saida')")
    return await actor(connection, "Rima")


async def change(
    connection: Connection, by: Actor, subject: str, municipality: int | None = 1, now: int = OCTOBER
) -> None:
    await record(
        connection,
        by=by,
        municipality=municipality,
        action="device.edit",
        subject=subject,
        before={"lat": 34.4, "title": "Souk \u0627"},
        after={"lat": 1e-7, "title": None},
        now=now,
    )


async def rows(connection: asyncpg.Connection, wanted: AuditFilter = AuditFilter()) -> list[AuditRow]:  # noqa: B008
    return [row async for page in listing.export(connection, wanted) for row in page]


async def messages(connection: asyncpg.Connection, kept: list[ChainHead] | None = None) -> list[str]:
    return [p.message for p in (await chains.verify(connection, kept or [])).problems]


async def behind_its_back(connection: asyncpg.Connection, statement: str) -> None:
    """Do what only the master of the database can."""
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(statement)


async def test_each_municipality_and_month_has_a_chain_of_its_own(
    connection: asyncpg.Connection, rima: Actor
) -> None:
    await change(connection, rima, "bin-1")
    await change(connection, rima, "bin-2", 2)
    await change(connection, PLATFORM, "bin-3", None)
    await change(connection, rima, "bin-4")
    await change(connection, rima, "bin-5", now=NOVEMBER)

    found = await rows(connection)

    assert [(r.subject, r.municipality, f"{r.month:%m}", r.number, r.who) for r in found] == [
        ("bin-3", None, "10", 1, "nabd"),
        ("bin-1", "tripoli", "10", 1, "Rima"),
        ("bin-4", "tripoli", "10", 2, "Rima"),
        ("bin-2", "saida", "10", 1, "Rima"),
        ("bin-5", "tripoli", "11", 1, "Rima"),
    ]
    assert (found[2].previous, found[1].previous) == (found[1].hash, "0" * 64)
    assert (found[1].before["title"], found[1].after) == ("Souk \u0627", {"lat": 1e-7, "title": None})
    verified = await chains.verify(connection)
    assert (verified.chains, verified.rows, verified.problems) == (4, 5, [])


async def test_rows_are_found_by_who_what_of_and_when(connection: asyncpg.Connection, rima: Actor) -> None:
    await change(connection, rima, "bin-1")
    await change(connection, PLATFORM, "bin-2", now=NOVEMBER)
    await record(connection, by=rima, municipality=2, action="rule.apply", subject="full", now=NOVEMBER)
    border = datetime(2026, 11, 1, tzinfo=UTC)

    async def subjects(**wanted: object) -> list[str]:
        return [r.subject for r in await rows(connection, AuditFilter(**wanted))]  # type: ignore[arg-type]

    assert await subjects(municipality="tripoli") == ["bin-1", "bin-2"]
    assert await subjects(who="Rima") == await subjects(who=str(rima.principal)) == ["bin-1", "full"]
    assert await subjects(action="device") == ["bin-1", "bin-2"]
    assert await subjects(action="rule.apply") == await subjects(subject="full") == ["full"]
    assert await subjects(until=border) == ["bin-1"]
    assert await subjects(since=border) == ["bin-2", "full"]
    newest = await listing.list_audit(connection, AuditFilter(), limit=2)
    assert [r.subject for r in newest] == ["full", "bin-2"]
    older = await listing.list_audit(connection, AuditFilter(), before=newest[-1].id)
    assert [r.subject for r in older] == ["bin-1"]
    in_town = AuditFilter(municipality="tripoli")
    newest = await listing.list_audit(connection, in_town, limit=1)
    older = await listing.list_audit(connection, in_town, before=newest[-1].id)
    assert [r.subject for r in [*newest, *older]] == ["bin-2", "bin-1"]


async def test_export_passes_over_nothing_that_is_committed_late(
    connection: asyncpg.Connection, pool: asyncpg.Pool, rima: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    await change(connection, rima, "bin-1")
    await change(connection, rima, "bin-2", 2)
    exported = []
    async with pool.acquire() as other:
        late = other.transaction()
        await late.start()
        await change(other, rima, "late", 2)
        await change(
            connection, rima, "bin-3"
        )  # its id is drawn after that of the one that is committed late
        async for page in listing.export(connection, AuditFilter()):
            exported += [row.subject for row in page]
            if exported[-1] == "bin-3":
                await late.commit()

    assert exported == ["bin-1", "bin-3", "bin-2", "late"]


async def test_writers_of_one_chain_wait_for_each_other(pool: asyncpg.Pool, rima: Actor) -> None:
    async def write(number: int) -> None:
        async with pool.acquire() as connection:
            changes = [
                AuditedChange(municipality=town, action="device.edit", subject=f"{number}")
                for town in (None, 2, 1)
            ]
            await record_many(connection, changes if number % 2 else changes[::-1], by=rima, now=OCTOBER)

    await asyncio.gather(*(write(number) for number in range(12)))

    async with pool.acquire() as connection:
        verified = await chains.verify(connection)
    assert (verified.chains, verified.rows, verified.problems) == (3, 36, [])


async def test_change_that_is_undone_leaves_no_row(connection: asyncpg.Connection, rima: Actor) -> None:
    await change(connection, rima, "bin-1")
    undone = connection.transaction()
    await undone.start()
    await change(connection, rima, "bin-2")
    await undone.rollback()
    await change(connection, rima, "bin-3")

    assert [(r.subject, r.number) for r in await rows(connection)] == [("bin-1", 1), ("bin-3", 2)]
    assert await messages(connection) == []


REFUSED = (
    "UPDATE audit SET subject = 'bin-2'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "TRUNCATE audit_chain CASCADE",
    "DELETE FROM audit_chain",
    "UPDATE audit_chain SET rows = 0",
    "UPDATE audit_chain SET month = '2026-01-01'",
    "UPDATE audit_chain SET municipality_id = NULL",
)


async def test_not_even_the_owner_of_the_database_changes_rows(
    connection: asyncpg.Connection, rima: Actor
) -> None:
    await change(connection, rima, "bin-1")

    for statement in REFUSED:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="audit"):
            await connection.execute(statement)


TAMPERED = {
    "edited": ("UPDATE audit SET after = '{\"lat\": 2}' WHERE number = 2", "do not have its hash"),
    "deleted": ("DELETE FROM audit WHERE number = 2", "row 2 is missing"),
    "moved": (
        "UPDATE audit SET number = 5 - number WHERE number IN (2, 3)",
        "does not continue the row before it",
    ),
    "cut off": ("DELETE FROM audit WHERE number >= 3", "rows 3 to 4 are missing"),
    "of another town": ("UPDATE audit_chain SET municipality_id = 2", "do not have its hash"),
}


async def test_what_was_done_behind_its_back_is_found(connection: asyncpg.Connection, rima: Actor) -> None:
    for number in range(4):
        await change(connection, rima, f"bin-{number}")
    await behind_its_back(connection, "ALTER TABLE audit DROP CONSTRAINT audit_chain_id_number_key")

    for how, (statement, message) in TAMPERED.items():
        copy = connection.transaction()
        await copy.start()
        await behind_its_back(connection, statement)
        found = await messages(connection)
        await copy.rollback()
        assert message in found[0], how
    assert await messages(connection) == []


async def test_what_is_written_while_chains_are_followed_is_no_tampering(
    connection: asyncpg.Connection, pool: asyncpg.Pool, rima: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await change(connection, rima, "bin-1")
    heads_of = chains._chains

    async def and_somebody_writes(*wanted: Any) -> Any:
        found = await heads_of(*wanted)
        async with pool.acquire() as other:
            await change(other, rima, "bin-2")
        return found

    monkeypatch.setattr(chains, "_chains", and_somebody_writes)

    assert await messages(connection) == []


async def test_rewritten_chain_and_one_that_is_gone_are_found_by_kept_heads(
    connection: asyncpg.Connection, rima: Actor, tmp_path: Path
) -> None:
    for number in range(3):
        await change(connection, rima, f"bin-{number}")
    assert await chains.keep_heads(connection, tmp_path, NOVEMBER) == []
    (file,) = await chains.keep_heads(connection, tmp_path, NOVEMBER + DAY)
    assert await chains.keep_heads(connection, tmp_path, NOVEMBER + DAY) == []
    kept = chains.read_heads(tmp_path)
    assert (file.name, await messages(connection, kept)) == ("2026-10.ndjson", [])

    await behind_its_back(connection, "DELETE FROM audit; DELETE FROM audit_chain")
    assert ["the whole chain is gone" in m for m in await messages(connection, kept)] == [True]
    for number in range(3):
        await change(connection, rima, f"bin-{number + 1}")

    assert await messages(connection) == []
    assert "written anew" in (await messages(connection, kept))[0]


async def test_expiry_takes_whole_months_and_leaves_their_heads(
    connection: asyncpg.Connection, rima: Actor
) -> None:
    september = OCTOBER - 31 * DAY
    for now in (september, september, OCTOBER, NOVEMBER):
        await change(connection, rima, "bin-1", now=now)
    kept = await chains.heads(connection)

    gone = await expiry.expire(connection, keep_months=1, by=rima, now=NOVEMBER)

    assert gone == kept[:1]
    assert [f"{r.month:%m} {r.action}" for r in await rows(connection)] == [
        "10 device.edit",
        "11 audit.expire",
        "11 device.edit",
    ]
    assert await messages(connection, kept) == []
    assert (await chains.heads(connection))[0] == kept[0]
    assert await expiry.expire(connection, keep_months=1, by=rima, now=NOVEMBER) == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await change(connection, rima, "bin-1", now=september)


async def test_month_that_runs_never_expires(connection: asyncpg.Connection, rima: Actor) -> None:
    await change(connection, rima, "bin-1", now=to_microseconds(datetime.now(UTC)))
    await connection.execute("UPDATE audit_chain SET expired_at = now()")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("DELETE FROM audit")


async def test_exported_rows_are_enough_to_compute_their_hashes(
    connection: asyncpg.Connection, rima: Actor
) -> None:
    await change(connection, rima, "bin-1")
    (row,) = await rows(connection)
    document = json.loads(msgspec.json.encode(row))
    for name in ("hash", "who", "municipality"):
        del document[name]
    document["changed_at"] = f"{row.changed_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    document["after"]["lat"] = 0.5  # written as 1e-7 by JavaScript, as 1e-07 by Python

    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert sha256(text.replace("0.5", "1e-7").encode()).hexdigest() == row.hash
