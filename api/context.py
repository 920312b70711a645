"""What every handler may use: the pool, the kinds, the clock, live events. Made once by `create_app`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from api.live.listener import LiveEvents
from api.metrics.platform import Queue
from api.metrics.process import Metrics
from devices.instants import Now
from devices.kinds import Kinds

if TYPE_CHECKING:
    import asyncpg

    from store.connection import Connection

Check = Callable[[], Awaitable[str | None]]
"""Answers None when a part of the platform is ready, the reason otherwise."""

POOL_TIMEOUT_S = 5.0
"""How long a request waits for a free connection before it is answered with 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppContext:
    """One per application, at `app.state.context`."""

    pool: asyncpg.Pool[asyncpg.Record]
    kinds: Kinds
    now: Now
    token_required: bool
    sign_in_page: bytes
    speed: float
    checks: Mapping[str, Check]
    queue: Queue
    live: LiveEvents
    metrics: Metrics


def of_request(request: Request) -> AppContext:
    """Return the application's context."""
    context: AppContext = request.app.state.context
    return context


async def _connection(request: Request) -> AsyncIterator[Connection]:
    async with of_request(request).pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        yield connection


UsesContext = Annotated[AppContext, Depends(of_request)]
UsesConnection = Annotated["Connection", Depends(_connection, scope="function")]
"""A pooled connection for as long as the handler runs; released before the response is sent."""
