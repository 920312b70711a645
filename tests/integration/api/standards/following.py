"""The follower of subscriptions as `nabd notify` runs it, in the process of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from api.standards.ngsi_ld.subscriptions import following
from api.standards.ngsi_ld.subscriptions.following import FollowerParts
from nabd.accounts.grants import Account
from notify.channels.public_address import Resolve, listed, resolve
from store.pool import connect, open_pool
from tests.databases import as_account
from tests.integration.api import builders
from tests.unit.notify.channels.services import HttpService
from tests.waiting import eventually

HERE = listed(["127.0.0.0/8"])
Follow = Callable[..., "following_now"]


@dataclass
class Clock:
    """The clock of what follows; the application's stands at noon."""

    at: int = builders.now()

    def now(self) -> int:
        return self.at

    def pass_(self, **time: float) -> None:
        self.at += int(timedelta(**time).total_seconds() * 1e6)


class following_now:  # noqa: N801 - reads as a verb where it is used
    """A follower as the account of `nabd notify` as long as the block runs; it ends as by a kill."""

    def __init__(self, dsn: str, clock: Clock, resolve: Resolve = resolve) -> None:
        self._dsn = as_account(dsn, Account.NOTIFY)
        self._clock = clock
        self._resolve = resolve

    async def __aenter__(self) -> None:
        self._pool = await open_pool(self._dsn, min_size=0, max_size=4)
        parts = FollowerParts(
            open_database=partial(connect, self._dsn),
            pool=self._pool,
            kinds=builders.KINDS,
            now=self._clock.now,
            real_now=self._clock.now,
            targets=HERE,
            resolve=self._resolve,
        )
        self._task = asyncio.create_task(following.run(parts))

    async def __aexit__(self, *_: object) -> None:
        assert not self._task.done(), self._task
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.wait_for(self._pool.close(), 5)


async def heard(receiver: HttpService, times: int) -> None:
    async def enough() -> bool:
        return len(receiver.asked) >= times

    await eventually(enough)
