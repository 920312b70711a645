"""What every handler may use: the pool, the kinds, the clock, live events. Made once by `create_app`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

from fastapi import Depends, Request

from api.http.guards import IDENTITY
from api.http.identification import Identification
from api.http.problems import Problem
from api.http.sign_in_page import SignInPage
from api.live.listener import LiveEvents
from api.metrics.platform import Queue
from api.metrics.process import Metrics
from api.tiles.archive import TileArchive
from api.tiles.source import TileSource
from devices.firmware.image_files import ImageDirectory
from devices.instants import Now
from devices.kinds import Kinds
from devices.profiles import Profiles
from devices.profiles.files import ProfileFiles
from devices.relay import Outcome, RelayState
from devices.sources import states
from devices.sources.webhooks import WebhookIntake
from devices.texts.languages import Language
from devices.wire.topics import Topic
from notify.channels.public_address import ListedTargets, Resolve, resolve
from people.identity import Identity
from people.sessions import SessionLimits
from people.throttle import ALLOWED_OF_DEVICES, Throttle
from store.pool import plan_by_values
from work.photo_files import PhotoDirectory

if TYPE_CHECKING:
    import asyncpg

    from api.oidc.provider import OidcProvider
    from notify.message import NotificationChannel
    from store.connection import Connection
    from store.standing.replica import Replica

Check = Callable[[], Awaitable[str | None]]
"""Answers None when a part of the platform is ready, the reason otherwise."""
Examine = Callable[[Language], Awaitable[Sequence[object]]]
"""Looks for trouble; each answer has subject, verdict (fine, note or bad), said and fix."""

LONG_QUERIES = 8
"""How many answers may read much at once: less than half of the pool."""
POOL_TIMEOUT_S = 5.0
"""How long a request waits for a free connection before it is answered with 503."""


class ReadingRelays(Protocol):
    """Brings readings to ingest, as a registered gateway's; see devices.relay."""

    async def send(self, gateway: Topic, elements: Sequence[Mapping[str, object]]) -> list[Outcome]: ...

    def state(self, gateway: Topic) -> RelayState: ...


async def nothing_examined(_: Language) -> Sequence[object]:
    """Look for no trouble, where nobody said how."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppContext:
    """One per application, at `app.state.context`.

    real_now: the clock of sessions, links and tokens, which runs at its own speed whatever `now` does.
    totp_required: administrators must show an app's code. press_page: with a button that signs in by what its
    address says. console_version: of the console's files; a page of another one loads itself anew.
    oidc: where people may sign in instead of here. photos: where those of work lie; None: none are kept.
    trust_page: how a phone trusts `authority`, the certificate that signs ours; None: there is none.
    replica: where the past is read, while it follows.
    firmware: where images lie that devices fetch. device_guesses: wrong passwords by device;
    device_addresses: by where they come from.
    relaying: where readings go that are posted here; None: there is no broker. deliveries: to webhooks.
    profiles: how models of other vendors are read; who asks it holds `profiles_lock`.
    trials: of messages by profiles, so many at once.
    webhook_targets: what subscriptions may name beside public addresses; resolve: finds those of names.
    web_push: browsers may subscribe to messages. tiles: what lies under the map; tile_archive: its file.
    sms_answers: refused codes by number, in a minute and in a day.
    """

    pool: asyncpg.Pool[asyncpg.Record]
    kinds: Kinds
    now: Now
    real_now: Now
    identification: Identification
    session_limits: SessionLimits
    totp_required: bool
    sign_in_page: SignInPage
    press_page: bytes
    trust_page: bytes
    console_version: str
    oidc: OidcProvider | None
    speed: float
    checks: Mapping[str, Check]
    queue: Queue
    live: LiveEvents
    metrics: Metrics
    channels: Mapping[str, NotificationChannel]
    replica: Replica | None = None
    profiles: ProfileFiles
    photos: PhotoDirectory | None = None
    firmware: ImageDirectory | None = None
    authority: Path | None = None
    web_push: bool = True
    tiles: TileSource | None = None
    tile_archive: TileArchive | None = None
    examine: Examine = nothing_examined
    relaying: ReadingRelays | None = None
    deliveries: WebhookIntake | None = None
    webhook_targets: ListedTargets = field(default_factory=ListedTargets)
    resolve: Resolve = resolve
    device_guesses: Throttle = field(default_factory=Throttle)
    device_addresses: Throttle = field(default_factory=lambda: Throttle(ALLOWED_OF_DEVICES))
    sms_answers: Throttle = field(default_factory=Throttle)
    sms_answers_of_day: Throttle = field(default_factory=lambda: Throttle(allowed=30, window_s=86_400.0))
    profiles_lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def alive_after(self) -> datetime:
        """Return since when who hears a source has given a sign of life."""
        return states.alive_after(self.now(), self.speed)

    async def profiles_now(self) -> Profiles:
        """Return the profiles as their files are now."""
        async with self.profiles_lock:
            return await asyncio.to_thread(self.profiles.current)

    trials: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    long_queries: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LONG_QUERIES))

    @asynccontextmanager
    async def past_query(self) -> AsyncIterator[Connection]:
        """Lend one for reading what nobody changes, seconds old perhaps: of a replica, if one follows.

        Raises:
            Problem: as `long_query`.
        """
        async with self.long_query(self.replica.pool if self.replica else None) as connection:
            yield connection

    @asynccontextmanager
    async def long_query(self, pool: asyncpg.Pool[asyncpg.Record] | None = None) -> AsyncIterator[Connection]:
        """Lend a connection for reading much, so that what is short always finds one.

        Raises:
            Problem: too many are under way, and none ended in time.
        """
        async with self.long_turn(), (pool or self.pool).acquire(timeout=POOL_TIMEOUT_S) as connection:
            await plan_by_values(connection)
            yield connection

    @asynccontextmanager
    async def long_turn(self) -> AsyncIterator[None]:
        """Wait until few enough read or judge much, so that what is short is never kept waiting.

        Raises:
            Problem: too many are under way, and none ended in time.
        """
        try:
            async with asyncio.timeout(POOL_TIMEOUT_S):
                await self.long_queries.acquire()
        except TimeoutError:
            detail = f"{LONG_QUERIES} long queries are under way; ask for less, or later"
            raise Problem(503, "unavailable", detail, headers={"Retry-After": "5"}) from None
        try:
            yield
        finally:
            self.long_queries.release()


def of_request(request: Request) -> AppContext:
    """Return the application's context."""
    context: AppContext = request.app.state.context
    return context


def identity_of(request: Request) -> Identity:
    """Return who a request is from, as the guard has found out."""
    identity: Identity = request.scope[IDENTITY]
    return identity


async def _connection(request: Request) -> AsyncIterator[Connection]:
    async with of_request(request).pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        yield connection


async def _past_connection(request: Request) -> AsyncIterator[Connection]:
    async with of_request(request).past_query() as connection:
        yield connection


async def _long_connection(request: Request) -> AsyncIterator[Connection]:
    async with of_request(request).long_query() as connection:
        yield connection


UsesContext = Annotated[AppContext, Depends(of_request)]
UsesIdentity = Annotated[Identity, Depends(identity_of)]
UsesConnection = Annotated["Connection", Depends(_connection, scope="function")]
"""A pooled connection for as long as the handler runs; released before the response is sent."""
UsesLongConnection = Annotated["Connection", Depends(_long_connection, scope="function")]
"""The same for a handler that may read much: lists that are searched or sorted, counts, maps."""
UsesPastConnection = Annotated["Connection", Depends(_past_connection, scope="function")]
"""The same for what nobody changes: readings and figures of them."""
