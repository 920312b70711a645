"""Several things at a time, of which none goes on once one has failed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_R = TypeVar("_R")


async def together(*works: Coroutine[Any, Any, _R]) -> list[_R]:
    """Do all of it and return what came of each.

    What fails first is raised as it is, once the rest has ended.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
