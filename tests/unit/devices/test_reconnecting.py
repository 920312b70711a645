"""A connection that is kept is tried less and less often, until one of them lasted."""

from __future__ import annotations

import asyncio
import random
import ssl
from contextlib import suppress

import pytest

from devices.relay.reconnecting import heeding_cancellation, stay_connected


class Pauses:
    """A clock that moves by pauses and connections only; ends after so many pauses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
        self.now, self.taken, self.most = 0.0, list[float](), most
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)
        monkeypatch.setattr(random, "uniform", lambda low, high: high)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.now += seconds
        if len(self.taken) == self.most:
            raise asyncio.CancelledError


async def test_attempts_come_less_and_less_often_until_a_connection_lasted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lasts = [0.0] * 7 + [61.0, 0.0]
    with monkeypatch.context() as patched:
        pauses = Pauses(patched, len(lasts))
        told: list[str] = []

        async def connection() -> None:
            pauses.now += lasts[len(pauses.taken)]
            raise OSError("refused")

        with pytest.raises(asyncio.CancelledError):
            await stay_connected(connection, (OSError,), told.append)

    assert pauses.taken == [2, 4, 8, 16, 32, 60, 60, 1, 2]
    assert told == ["refused"] * len(lasts)


async def test_an_outage_within_tasks_is_told_in_a_line_and_a_mistake_is_not_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[BaseException] = [
        ExceptionGroup("tasks", [ExceptionGroup("more", [TimeoutError()])]),
        ssl.SSLError("certificate"),
        ExceptionGroup("tasks", [OSError("gone"), KeyError("ours")]),
    ]
    with monkeypatch.context() as patched:
        Pauses(patched, 9)
        told: list[str] = []

        async def connection() -> None:
            raise raised.pop(0)

        with pytest.raises(ExceptionGroup) as mistake:
            await stay_connected(connection, (OSError, TimeoutError), told.append)

    assert told[0] == "TimeoutError"
    assert "certificate" in told[1]
    assert told[2] == "gone"
    assert mistake.value.subgroup(KeyError) is not None


async def test_a_cancellation_that_was_lost_in_what_was_awaited_is_heeded() -> None:
    begun, served = asyncio.Event(), False

    async def connection() -> None:
        nonlocal served
        with heeding_cancellation():
            pass  # nothing was cancelled
        with heeding_cancellation(), suppress(asyncio.CancelledError):  # as wait_for does now and then
            begun.set()
            await asyncio.Event().wait()
        served = True

    task = asyncio.create_task(connection())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task], timeout=5)

    assert task.cancelled()
    assert not served


async def test_what_a_group_of_tasks_left_behind_is_no_cancellation() -> None:
    async def lost() -> None:
        await asyncio.sleep(0)
        raise ConnectionError

    for _ in range(2):
        with heeding_cancellation():
            await asyncio.sleep(0)
        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(lost())
