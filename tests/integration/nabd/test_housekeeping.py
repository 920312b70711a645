"""What is done now and then beside the sweep."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg

from nabd import housekeeping
from nabd.retention.classes import classes_of
from nabd.settings import Settings
from notify.answers import offers
from people.editing import NewPerson, add_person
from people.person import get_person
from store.audit import PLATFORM
from tests.waiting import eventually, now


async def keep(pool: asyncpg.Pool, directory: Path) -> None:
    """Do what the sweep process does beside its sweep, until cancelled."""
    classes = classes_of(Settings(data_dir=directory))
    await housekeeping.run(pool, [], now, classes=classes, audit_dir=directory)


async def test_housekeeping_forgets_the_answers_of_yesterday(
    pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await connection.execute(
        "INSERT INTO idempotency_key (route, key, request_digest, answer, created_at)"
        " VALUES ('r', 'old', '', '{}', now() - interval '25 hours'),"
        " ('r', 'new', '', '{}', now() - interval '23 hours')"
    )

    async def one_left() -> bool:
        return [r["key"] for r in await connection.fetch("SELECT key FROM idempotency_key")] == ["new"]

    keeping = asyncio.create_task(keep(pool, tmp_path))
    try:
        assert await eventually(one_left)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_audit_stays_while_its_heads_cannot_be_kept_outside(
    pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    long_ago = now() - 100 * 24 * 3600 * 1_000_000
    await add_person(connection, NewPerson(name="amal"), long_ago, by=PLATFORM)
    file = tmp_path / "audit"
    file.write_text("no directory")

    async def looked() -> set[str]:
        return {row["class"] for row in await connection.fetch("SELECT class FROM retention_run")}

    classes = [one for one in classes_of(Settings(data_dir=tmp_path)) if one.name in ("audit", "sessions")]
    keeping = asyncio.create_task(housekeeping.run(pool, [], now, classes=classes, audit_dir=file))
    try:
        assert await eventually(looked)
        assert await looked() == {"sessions"}
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_housekeeping_forgets_links_that_expired_long_ago(
    pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await add_person(connection, NewPerson(name="amal"), now(), by=PLATFORM)
    amal = (await get_person(connection, "amal")).id
    days = 24 * 3600 * 1_000_000
    old, young = [
        await offers.offer(connection, uuid4(), amal, [], now() - ago * days, coded=True) for ago in (15, 13)
    ]
    assert old
    assert young

    async def one_left() -> bool:
        return [r["id"] for r in await connection.fetch("SELECT id FROM answer_offer")] == [young.id]

    keeping = asyncio.create_task(keep(pool, tmp_path))
    try:
        assert await eventually(one_left)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
