"""What is left of a person who was deleted: a number, nowhere a name or an address."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from devices.instants import to_microseconds
from notify.outbox.attempts import AttemptEnded, DeliveryAttempt, DeliveryState, record
from people.links import create_link
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.access.people.builders import add, browsing, sign_in

NAME, TITLE, EMAIL, PHONE, TOPIC = "zubayda", "Zubayda Merhej", "zm@example.org", "+96170123456", "zm-phone"
BROWSER, ADDRESS = "Firefox/999 of hers", "198.51.100.77"
PLANTED = (NAME, "Merhej", "zm@example", "70123456", TOPIC, "Firefox/999")
_TABLES = """
SELECT c.oid::regclass::text FROM pg_class AS c
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
"""
_TOLD = """
INSERT INTO delivery
    (id, call_id, person_id, channel, address, state, due_at, attempts, answer, created_at)
VALUES ($1, $1, $2, 'email', $3, $4, $5, 1, $6, $5)
"""
_TRIED = "INSERT INTO delivery_attempt (delivery_id, number, began_at, answer) VALUES ($1, 1, $2, $3)"


async def tables_with(connection: asyncpg.Connection, words: tuple[str, ...]) -> set[tuple[str, str]]:
    """Return where a word stands, in any column of any table."""
    found = set()
    for row in await connection.fetch(_TABLES):
        for word in words:
            sql = f"SELECT EXISTS (SELECT FROM {row[0]} AS t WHERE t::text ILIKE '%' || $1 || '%')"
            if await connection.fetchval(sql, word):
                found.add((row[0], word))
    return found


@pytest.fixture
async def person_id(guarded: FastAPI, connection: asyncpg.Connection) -> int:
    """Return somebody who left traces: they signed in, were told, and were told in vain."""
    person = await add(
        connection,
        NAME,
        "operator@tripoli",
        display_name=TITLE,
        email=EMAIL,
        phone=PHONE,
        channels={"ntfy": [TOPIC]},
    )
    await add(connection, "amal", "admin")
    async with browsing(guarded, ADDRESS) as browser:
        browser.headers["User-Agent"] = BROWSER
        assert (await sign_in(browser, NAME)).status_code == 303
    await create_link(connection, person.id, builders.now(), by=PLATFORM)
    for state in ("delivered", "planned", "sending"):
        told = uuid4()
        await connection.execute(_TOLD, told, person.id, EMAIL, state, builders.NOON, f"250 to {EMAIL}")
        await connection.execute(_TRIED, told, builders.NOON, f"<{EMAIL}>: accepted")
    return person.id


async def test_of_a_forgotten_person_no_table_keeps_a_name_or_an_address(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, person_id: int
) -> None:
    before = await tables_with(connection, PLANTED)

    answer = await client.delete(f"/api/v1/users/{NAME}")

    assert answer.status_code == 204
    assert {table for table, _ in before} >= {"person", "session", "delivery", "delivery_attempt"}
    assert await tables_with(connection, PLANTED) == set()
    told = await connection.fetch("SELECT state FROM delivery WHERE person_id = $1", person_id)
    assert sorted(row["state"] for row in told) == ["delivered", "not-needed", "sending"]


async def test_an_answer_that_comes_after_they_were_forgotten_is_not_kept(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, person_id: int
) -> None:
    under_way = await connection.fetchrow("SELECT id, call_id FROM delivery WHERE state = 'sending'")
    assert under_way is not None
    attempt = DeliveryAttempt(
        id=under_way["id"],
        number=1,
        call_id=under_way["call_id"],
        person_id=person_id,
        channel="email",
        address=EMAIL,
        occasion=None,
        failing_channel=None,
        group_key=None,
        digest=False,
        created_at=to_microseconds(builders.NOON),
        alerts=(),
    )
    assert (await client.delete(f"/api/v1/users/{NAME}")).status_code == 204

    at = to_microseconds(builders.NOON)
    ended = AttemptEnded(attempt=attempt, state=DeliveryState.REFUSED, answer=f"no {EMAIL} here", at=at)
    await record(connection, [ended])

    assert await connection.fetchval("SELECT state FROM delivery WHERE id = $1", attempt.id) == "refused"
    assert await tables_with(connection, PLANTED) == set()
