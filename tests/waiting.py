"""Waiting for something to come true, and the clock of tests that live in real time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any


def now() -> int:
    """Return the wall clock in microseconds since 1970-01-01Z."""
    return time.time_ns() // 1000


async def eventually(condition: Callable[[], Awaitable[Any]], *, within: float = 30.0) -> Any:
    """Return the first true result of the condition; fail when there is none in time."""
    deadline = time.monotonic() + within
    while not (found := await condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.02)
    return found
