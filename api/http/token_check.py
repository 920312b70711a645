"""Whether a token lets a request in, and how often an address may be wrong about it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from api.http import tokens
from api.http.handlers import of_database
from api.http.problems import Problem
from api.http.throttle import ALLOWED, WINDOW_S, Throttle
from store.failures import DATABASE_ERRORS

if TYPE_CHECKING:
    import asyncpg

    from devices.instants import Now

log = structlog.get_logger(__name__)

POOL_TIMEOUT_S = 5.0
MOST_KNOWN = 10_000


class TokenCheck:
    """One per application; remembers which tokens were good, for outages and for shared addresses."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        now: Now,
        *,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._now = now
        self._elapsed_s = elapsed_s
        self._throttle = Throttle()
        self._good: dict[bytes, None] = {}

    async def refusal(self, token: str, address: str, *, in_outages: bool = False) -> Problem | None:
        """Return why a token does not let in, None where it does.

        Args:
            token: as presented.
            address: where the request comes from.
            in_outages: let in what was good before while the database is away.
        """
        digest = tokens.digest(token)
        known = digest in self._good
        wait_s = 0.0 if known else self._throttle.wait_s(address, self._elapsed_s())
        if wait_s > 0:
            retry = {"Retry-After": str(math.ceil(wait_s))}
            detail = f"{ALLOWED} wrong tokens came from {address}: try again later"
            return Problem(429, "too-many-attempts", detail, headers=retry)
        try:
            async with self._pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
                valid = await tokens.name_of(connection, token, self._now()) is not None
        except DATABASE_ERRORS as error:  # here no handler of the application sees it
            outage = of_database(error)
            return None if in_outages and known else outage
        if valid:
            self._remember(digest)
            return None
        self._good.pop(digest, None)
        if self._throttle.failed(address, self._elapsed_s()):
            log.warning("too many wrong tokens", address=address, pause_s=WINDOW_S)
        challenge = {"WWW-Authenticate": 'Bearer realm="nabd", error="invalid_token"'}
        return Problem(401, "unauthorized", "the token is unknown or has expired", headers=challenge)

    def _remember(self, digest: bytes) -> None:
        self._good[digest] = None
        if len(self._good) > MOST_KNOWN:
            del self._good[next(iter(self._good))]
