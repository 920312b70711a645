"""How much one answer may judge: conditions of callers are asked of entities in threads, not for ever."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import ParamSpec, TypeVar

SECONDS = 5.0
"""Of a processor, for one answer."""
_JUDGES = ThreadPoolExecutor(max_workers=2, thread_name_prefix="judge")
"""Of their own, so that all else that is done in threads, such as passwords, never waits for conditions."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class TooMuch(Exception):
    """Judging took too long; the text says how to ask for less."""


class Effort:
    """The time that one answer may still take for judging, whichever threads it is judged in.

    turn: waits until few enough others judge. seconds: of a processor; None: as for people.
    """

    def __init__(
        self, turn: Callable[[], AbstractAsyncContextManager[None]], seconds: float | None = None
    ) -> None:
        self.turn = turn
        self.seconds = self.left_s = SECONDS if seconds is None else seconds
        self._until = math.inf

    async def spend(
        self, judge: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Return what a function finds out that calls `check` on its way, in a thread.

        Raises:
            TooMuch: it took too long.
        """

        def judged() -> Result:
            self._until = time.thread_time() + self.left_s
            try:
                return judge(*args, **kwargs)
            finally:
                self.left_s, self._until = self._until - time.thread_time(), math.inf

        async with self.turn():
            return await asyncio.get_running_loop().run_in_executor(_JUDGES, judged)

    def check(self) -> None:
        """Look at the time; outside `spend` there is always enough.

        Raises:
            TooMuch: none is left.
        """
        if time.thread_time() >= self._until:
            raise TooMuch(
                f"judging took {self.seconds:g} seconds: ask for less, by simpler conditions"
                " or of fewer entities"
            )
