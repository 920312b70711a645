"""Answers remembered by key."""

from __future__ import annotations

import asyncio

import pytest

from api.http.idempotency import Idempotency
from api.http.problems import Problem


class Work:
    """Counts how often it is done; fails the first `failures` times."""

    def __init__(self, failures: int = 0) -> None:
        self.done = 0
        self.failures = failures

    async def __call__(self) -> int:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise OSError("away")
        self.done += 1
        return self.done


async def test_work_is_done_once_when_the_same_request_comes_twice_at_a_time() -> None:
    remembered, work = Idempotency(), Work()

    answers = await asyncio.gather(*(remembered.once("k", "comment 1", b"a", work) for _ in range(5)))

    assert answers == [1] * 5
    assert work.done == 1


async def test_work_is_done_each_time_without_a_key_and_under_other_keys() -> None:
    remembered, work = Idempotency(), Work()

    for key in (None, None, "a", "b"):
        await remembered.once(key, "comment 1", b"a", work)
    await remembered.once("a", "comment 2", b"a", work)

    assert work.done == 5


async def test_key_is_refused_with_another_body() -> None:
    remembered, work = Idempotency(), Work()
    await remembered.once("k", "comment 1", b"a", work)

    with pytest.raises(Problem, match="another body"):
        await remembered.once("k", "comment 1", b"b", work)


async def test_failed_work_is_not_remembered_and_those_who_waited_try_themselves() -> None:
    remembered, work = Idempotency(), Work(failures=1)

    first, second = await asyncio.gather(
        remembered.once("k", "comment 1", b"a", work),
        remembered.once("k", "comment 1", b"a", work),
        return_exceptions=True,
    )

    assert isinstance(first, OSError)
    assert second == 1


async def test_oldest_answers_are_forgotten_when_there_are_too_many() -> None:
    remembered, work = Idempotency(most=2), Work()

    for key in ("a", "b", "c", "a"):
        await remembered.once(key, "comment 1", b"a", work)

    assert work.done == 4
