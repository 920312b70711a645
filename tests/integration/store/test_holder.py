"""What one session holds, no other has; what has ended holds nothing; nobody else can stand in the way."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg

from store import holder
from store.pool import connect
from tests.waiting import eventually


async def test_one_session_holds_a_name_until_it_ends(dsn: str) -> None:
    first, second = await connect(dsn), await connect(dsn)

    assert await holder.claim(first, "sweep")
    assert await holder.claim(first, "sweep")
    assert not await holder.claim(second, "sweep")
    assert await holder.claim(second, "another")
    first.terminate()

    async with asyncio.timeout(20):
        await holder.wait(second, "sweep")
    await second.close()


async def test_released_name_is_free_at_once_and_only_its_holder_releases_it(dsn: str) -> None:
    first, second = await connect(dsn), await connect(dsn)
    await holder.claim(first, "sweep")

    await holder.release(second, "sweep")
    assert not await holder.claim(second, "sweep")
    await holder.release(first, "sweep")

    assert await holder.claim(second, "sweep")
    await asyncio.gather(first.close(), second.close())


async def test_of_many_that_claim_at_once_one_succeeds(dsn: str) -> None:
    sessions = [await connect(dsn) for _ in range(8)]

    claimed = await asyncio.gather(*(holder.claim(session, "sweep") for session in sessions))

    assert sum(claimed) == 1
    await asyncio.gather(*(session.close() for session in sessions))


async def test_session_that_has_an_ended_ones_number_does_not_count_as_it(
    connection: asyncpg.Connection,
) -> None:
    await connection.execute(
        "INSERT INTO nabd_holder (name, pid, session_began_at) VALUES ('sweep', $1, '2020-01-01Z')",
        await connection.fetchval("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() LIMIT 1"),
    )

    assert await holder.claim(connection, "sweep")


async def test_who_begins_again_at_once_does_not_keep_what_another_takes(dsn: str) -> None:
    claims: list[bool] = []
    enough = asyncio.Event()

    async def stubborn() -> None:
        while not enough.is_set():
            session = await connect(dsn)
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                while not enough.is_set():
                    claims.append(await holder.claim(session, "sweep"))
            await session.close()

    holding = asyncio.create_task(stubborn())
    await eventually(lambda: _last(claims, True))
    taker = await connect(dsn)

    await holder.take(taker, "sweep")

    await eventually(lambda: _last(claims, False))
    seen = len(claims)
    await eventually(lambda: _last(claims[seen:], False))
    assert not any(claims[seen:])
    enough.set()
    await holding
    await taker.close()


async def _last(claims: list[bool], wanted: bool) -> bool:
    return bool(claims) and claims[-1] is wanted


async def test_a_name_is_taken_also_from_who_is_only_about_to_be_its_first_holder(dsn: str) -> None:
    first, second, watching = [await connect(dsn) for _ in range(3)]
    pid = await first.fetchval("SELECT pg_backend_pid()")
    claiming = first.transaction()
    await claiming.start()
    assert await holder.claim(first, "shard north")

    taking = asyncio.create_task(holder.take(second, "shard north"))
    await eventually(
        lambda: watching.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    )
    await claiming.commit()
    await taking

    await eventually(
        lambda: watching.fetchval("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", pid)
    )
    assert await holder.claim(second, "shard north")
    first.terminate()
    await asyncio.gather(second.close(), watching.close())
