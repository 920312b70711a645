"""A connection that is kept: tried again after an outage, first soon and then less and less often.

Must not know what is connected to.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LASTED_S = 60.0
"""A connection that lasted so long was a good one: the next attempt comes at once."""


async def stay_connected(
    connection: Callable[[], Awaitable[None]],
    outages: tuple[type[Exception], ...],
    lost: Callable[[str], None],
) -> None:
    """Have a connection until cancelled.

    Args:
        connection: connects, and serves until it is lost.
        outages: what may end it; anything else is raised, in a group where it came so.
        lost: is told why it ended, in a line.
    """
    clock = asyncio.get_running_loop().time
    pause = FIRST_PAUSE_S
    while True:
        began = clock()
        try:
            await connection()
        except* outages as group:
            lost(_said(group))
        pause = FIRST_PAUSE_S if clock() - began > LASTED_S else min(pause * 2, LONGEST_PAUSE_S)
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter


@contextmanager
def heeding_cancellation() -> Iterator[None]:
    """Raise a cancellation of this task that was lost in what was awaited inside.

    `asyncio.wait_for` of Python 3.11, which aiomqtt waits with, forgets one that comes just as it ends: what
    is to end would go on for good. Earlier ones do not count: task groups leave theirs behind.

    Raises:
        asyncio.CancelledError: the task was cancelled meanwhile.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task and task.cancelling() > before:
        raise asyncio.CancelledError


def _said(group: BaseExceptionGroup[Any]) -> str:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return str(first) or type(first).__name__
