"""Who a request is from, by its token or session; and how often an address may be wrong about that.

An identity is asked of the database at most every KNOWN_S, so a person who was disabled or a token that was
revoked is out by then. Must not know what is asked for.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from api.http.handlers import of_database
from api.http.problems import Problem
from people import sessions, throttle, tokens
from people.credentials import SESSION_PREFIX, digest
from people.identity import Identity
from people.sessions import FORMER_FOR, Recognised, SessionLimits
from people.throttle import WINDOW_S, Throttle
from store.failures import DATABASE_ERRORS

if TYPE_CHECKING:
    import asyncpg

    from devices.instants import Now

log = structlog.get_logger(__name__)

POOL_TIMEOUT_S = 5.0
KNOWN_S = 3.0
"""How long an identity is taken from memory."""
MOST_KNOWN = 10_000
MOST_UNKNOWN = 600
"""Unknown tokens and sessions from one address in WINDOW_S that the database is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a request shows. Programs send a token; a browser's cookie holds a session id, or a token."""

    secret: str
    in_cookie: bool

    @property
    def is_session(self) -> bool:
        """Tell whether it is a session's id: only a cookie may be one."""
        return self.in_cookie and self.secret.startswith(SESSION_PREFIX)


@dataclass(frozen=True, slots=True)
class _Replaced:
    """The id that replaced a session's; given again to who shows the former one: an answer may be lost."""

    fresh_id: str
    until_s: float


@dataclass(frozen=True, slots=True)
class _Known:
    identity: Identity
    until_s: float


class Identification:
    """One per application; remembers who was who, for a moment and for outages."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        now: Now,
        limits: SessionLimits,
        *,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._now = now
        self._limits = limits
        self._elapsed_s = elapsed_s
        self._known: OrderedDict[object, _Known] = OrderedDict()
        self._replaced: OrderedDict[object, _Replaced] = OrderedDict()
        self._counted: OrderedDict[object, float] = OrderedDict()
        self.throttle = Throttle()
        self._unknown = Throttle(MOST_UNKNOWN)

    def forget(self) -> None:
        """Ask the database again about everybody: somebody was let in or out."""
        for key, known in self._known.items():
            self._known[key] = _Known(known.identity, 0.0)

    async def recognise(
        self, credential: Credential, address: str, *, rotate: bool = False, in_outages: bool = False
    ) -> Recognised:
        """Return who shows a credential.

        It is looked up first: behind a proxy an address is many people's, and those who are known must pass
        while another guesses. Only who is unknown is counted, and a flood of those is not looked up.

        Args:
            credential: as presented.
            address: where the request comes from.
            rotate: whether the answer can carry a new session id.
            in_outages: let in who was known before while the database is away.

        Raises:
            Problem: it is unknown or has ended, or the address has guessed too often.
        """
        key = digest(credential.secret), credential.is_session
        known = self._known.get(key)
        if known is not None and self._elapsed_s() < known.until_s:
            return Recognised(identity=known.identity)
        if known is None:
            self._refuse(address, [throttle.of_address(address)], self._unknown)
        try:
            async with self._pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
                found = await self._ask(connection, credential, rotate)
        except DATABASE_ERRORS as error:  # here no handler of the application sees it
            outage = of_database(error)
            if in_outages and known is not None:
                return Recognised(identity=known.identity)
            raise outage from error
        if found is None:
            self._known.pop(key, None)
            raise self._refusal(credential, key, address)
        self._remember(key, found.identity)
        return self._with_fresh_id(key, found) if rotate else found

    def _with_fresh_id(self, key: object, found: Recognised) -> Recognised:
        if found.fresh_id is not None:
            self._replaced[key] = _Replaced(found.fresh_id, self._elapsed_s() + FORMER_FOR.total_seconds())
            while len(self._replaced) > MOST_KNOWN:
                self._replaced.popitem(last=False)
            return found
        replaced = self._replaced.get(key)
        if replaced is None:
            return found
        if self._elapsed_s() >= replaced.until_s:
            del self._replaced[key]
            return found
        return replace(found, fresh_id=replaced.fresh_id)

    async def _ask(
        self,
        connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record],
        credential: Credential,
        rotate: bool,
    ) -> Recognised | None:
        if credential.is_session:
            return await sessions.recognise(
                connection, credential.secret, self._now(), self._limits, rotate=rotate
            )
        identity = await tokens.identity_of(connection, credential.secret, self._now())
        return None if identity is None else Recognised(identity=identity)

    async def still(self, identity: Identity) -> Identity | None:
        """Return what somebody known before may do now, None when they may do nothing any more.

        Raises:
            Exception: one of the database's.
        """
        key = identity.kind, identity.session or identity.principal
        known = self._known.get(key)
        if known is not None and self._elapsed_s() < known.until_s:
            return known.identity
        async with self._pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
            if identity.session is not None:
                found = await sessions.identity_again(connection, identity.session, self._now(), self._limits)
            else:
                found = await tokens.identity_again(connection, identity.principal, self._now())
        if found is None:
            self._known.pop(key, None)
        else:
            self._remember(key, found)
        return found

    def refuse_guesser(self, address: str, name: str | None = None) -> None:
        """Let who guessed too often wait: by address, and by the name that was guessed for.

        Raises:
            Problem: it is too early to try again.
        """
        keys = [throttle.of_address(address), *([throttle.of_name(name)] if name else [])]
        self._refuse(address, keys, self.throttle)

    def _refuse(self, address: str, keys: list[str], counted: Throttle) -> None:
        wait_s = max(counted.wait_s(key, self._elapsed_s()) for key in keys)
        if wait_s > 0:
            retry = {"Retry-After": str(math.ceil(wait_s))}
            detail = f"too many wrong tokens or passwords came from {address}, or for that name: wait"
            raise Problem(429, "too-many-attempts", detail, headers=retry)

    def count_guess(self, address: str, name: str | None = None) -> None:
        """Count a wrong token, password, code or link."""
        for key in (throttle.of_address(address), *([throttle.of_name(name)] if name else [])):
            if self.throttle.failed(key, self._elapsed_s()):
                log.warning("too many wrong tokens", address=address, key=key, pause_s=WINDOW_S)

    def _refusal(self, credential: Credential, key: object, address: str) -> Problem:
        self._unknown.failed(throttle.of_address(address), self._elapsed_s())
        # A browser left open overnight guesses nothing, nor does a program that repeats a revoked token.
        if not credential.is_session and self._elapsed_s() >= self._counted.get(key, 0.0):
            self.refuse_guesser(address)
            self.count_guess(address)
            self._counted[key] = self._elapsed_s() + WINDOW_S
            while len(self._counted) > MOST_KNOWN:
                self._counted.popitem(last=False)
        challenge = {"WWW-Authenticate": 'Bearer realm="nabd", error="invalid_token"'}
        detail = "the token or session is unknown or has ended"
        return Problem(401, "unauthorized", detail, headers=challenge)

    def _remember(self, key: object, identity: Identity) -> None:
        self._known[key] = _Known(identity, self._elapsed_s() + KNOWN_S)
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
