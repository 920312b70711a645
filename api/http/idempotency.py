"""Answers remembered by `Idempotency-Key`, so that a command sent twice is done once.

In memory and bounded: it guards against the retry of a client that lost the answer, not across restarts.
Must not know what the commands do.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from api.http.problems import Problem

T = TypeVar("T")

MOST = 10_000


class Idempotency:
    """Remembers the newest `most` answers by route and key."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._answers: OrderedDict[str, tuple[bytes, asyncio.Future[Any]]] = OrderedDict()

    async def once(self, key: str | None, where: str, body: bytes, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work, or return what it returned when the same key was used with the same request.

        Raises:
            Problem: the key was used with another body.
        """
        if key is None:
            return await work()
        place, digest = f"{where} {key}", hashlib.sha256(body).digest()
        known = self._answers.get(place)
        if known is not None:
            if known[0] != digest:
                raise Problem(422, "invalid", "Idempotency-Key: was used with another body")
            try:
                answer: T = await asyncio.shield(known[1])
            except asyncio.CancelledError:
                if known[1].cancelled():
                    return await self.once(key, where, body, work)
                raise
            return answer
        return await self._first(place, digest, work)

    async def _first(self, place: str, digest: bytes, work: Callable[[], Awaitable[T]]) -> T:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[place] = (digest, future)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
        try:
            answer = await work()
        except BaseException:
            # Nothing was done, so the next try with this key is a first one again.
            self._answers.pop(place, None)
            future.cancel()
            raise
        future.set_result(answer)
        return answer
