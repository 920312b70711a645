"""The one follower that tells subscriptions of changes; of several processes one does so.

A subscription is told in rounds, one page after the other; throttling is between rounds. How far it got is
stored once the receiver has answered, or there was nothing to tell: what a kill, an outage of either side or
the last seconds before a restart leave in doubt is told again, as it is then. Each waits for its own receiver
only; those that fail or are slow have turns of their own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import structlog
from pydantic import ValidationError

from alerts.overview.changed import OVERLAP
from alerts.overview.now import WantedDevices, devices_now
from api.standards.effort import Effort, TooMuch
from api.standards.ngsi_ld.subscriptions import endpoint
from api.standards.ngsi_ld.subscriptions.changes import ChangePage, Round, WantedChanges
from api.standards.ngsi_ld.subscriptions.document import SubscriptionDocument
from api.standards.ngsi_ld.subscriptions.endpoint import EntityNotification
from api.standards.ngsi_ld.subscriptions.noticing import ChangeFollower
from api.standards.ngsi_ld.subscriptions.selection import BadSelection, Selection, selection_of
from api.standards.ngsi_ld.subscriptions.turns import Lane
from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.publishing import subscription_states as states
from devices.publishing.subscriptions import EntitySubscription, headers_of, list_subscriptions
from notify.channels.http_exchange import new_client
from notify.channels.public_address import ListedTargets, Resolve, resolve
from notify.message import Undelivered
from people.identity import Identity
from people.principals import identity_now
from people.roles import Permission
from store import holder
from store.connection import Connection
from store.failures import is_outage
from store.outage import Outage

log = structlog.get_logger(__name__)

HOLDER = "subscriptions"
LOOK_S = 1.0
"""How often subscriptions are looked at: one is told once in it at most."""
AT_ONCE = 500
"""Entities of one notification at most."""
TURNS, TURNS_OF_SLOW = 8, 2
"""Notifications that are made and under way at once: to receivers that answer soon, and to others."""
SLOW_S, JUDGING_S = 2.0, 2.0
"""Whoever took longer the last time, judging and answering, is slow; how long one page may be judged."""
PROGRESS = timedelta(minutes=1)
"""How far who was told nothing gets before that is stored."""
PAUSE_S, MISTAKE_S = 1.0, 30.0
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=10), timedelta(hours=1)

Towns = Sequence[str] | None
"""Names of municipalities; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerParts:
    """What a follower works with. open_database: opens the session that holds the lead.

    now: the clock of readings; real_now: that of people. targets: what may be called beside public addresses.
    """

    open_database: Callable[[], Awaitable[Connection]]
    pool: asyncpg.Pool
    kinds: Kinds
    now: Now
    real_now: Now
    targets: ListedTargets
    resolve: Resolve = resolve


@dataclass(slots=True, kw_only=True)
class _Followed:
    """A subscription: what it asks for, how far it got in this process, and what tells it now.

    place: of changes, up to which all was told. round: under way; began: when its first page, or that of the
    last one, was sent. took_s: how long the last page took.
    """

    said: Mapping[str, Any]
    document: SubscriptionDocument
    selection: Selection
    place: int = 0
    round: Round | None = None
    began: datetime | None = None
    took_s: float = 0.0
    telling: asyncio.Task[None] | None = None


async def run(parts: FollowerParts) -> None:
    """Tell subscriptions until cancelled, while no other process does."""
    outage = Outage(log, "subscriptions wait for the database", "subscriptions are told again")
    client = new_client(by_proxy=False, kept=0)  # as webhooks: see there
    try:
        while True:
            try:
                connection = await parts.open_database()
                follower = Follower(parts, client)
                try:
                    await holder.wait(connection, HOLDER)
                    outage.over()
                    while True:
                        await follower.look(connection)
                        await asyncio.sleep(LOOK_S)
                finally:
                    await follower.close()
                    connection.terminate()
            except Exception as error:  # the edge: this process tells of alerts too
                if is_outage(error):
                    outage.lasts(error)
                else:
                    log.exception("subscriptions are not told, trying again")
                    await asyncio.sleep(MISTAKE_S)
            await asyncio.sleep(PAUSE_S)
    finally:
        await client.aclose()


class Follower:
    """Follows changes while it leads; made anew with each lead."""

    def __init__(self, parts: FollowerParts, client: httpx2.AsyncClient) -> None:
        self._parts = parts
        self._client = client
        self._noticed = ChangeFollower()
        self._followed: dict[str, _Followed] = {}
        self._quick, self._slow = Lane(TURNS), Lane(TURNS_OF_SLOW)

    async def look(self, connection: Connection) -> None:
        """Notice what changed, and begin to tell every subscription that is due."""
        busy = {named for named, one in self._followed.items() if one.telling and not one.telling.done()}
        now = to_datetime(self._parts.now())
        listed = await list_subscriptions(connection)
        active = [one for one in listed if one.is_active and not one.is_over(now)]
        towns = await self._followable(connection, active)
        for named in [*self._followed]:
            if named not in towns:
                await self._drop(named)
        followed = [one for one in active if one.id in towns]
        if not followed:
            self._noticed = ChangeFollower()
            return
        await self._noticed.notice(connection, min(one.follows_from for one in followed))
        for one in followed:
            if one.id not in busy and _is_due(one, self._followed[one.id], now):
                await self._begin(connection, one, self._followed[one.id], towns[one.id])

    async def close(self) -> None:
        """End all that is under way."""
        for named in [*self._followed]:
            await self._drop(named)

    async def _drop(self, named: str) -> None:
        telling = self._followed.pop(named).telling
        if telling is not None:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _followable(
        self, connection: Connection, active: Sequence[EntitySubscription]
    ) -> dict[str, Towns]:
        """Return of which municipalities each may be told, and note why one may not."""
        owners: dict[int, Identity | None] = {}
        found: dict[str, Towns] = {}
        for one in active:
            if one.principal not in owners:
                owners[one.principal] = await identity_now(connection, one.principal, self._parts.real_now())
            stopped = ""
            try:
                self._know(one)
                within = _towns(one, owners[one.principal])
                if not one.stopped:  # else from the next look on, which reads from when
                    found[one.id] = within
            except BadSelection as error:
                stopped = str(error)
            if stopped != one.stopped:
                at = to_datetime(self._parts.now())
                await states.mark_stopped(connection, one.id, stopped, at)
                log.info("subscription stands", subscription=one.id, stopped=stopped or None)
        return found

    def _know(self, one: EntitySubscription) -> None:
        """Read what a subscription asks for, where that is new."""
        known = self._followed.get(one.id)
        if known is not None and known.said == one.document:
            return
        try:
            document = SubscriptionDocument.model_validate(one.document)
        except ValidationError as error:
            raise BadSelection(f"it cannot be read any more: {error.errors()[0]['msg']}") from None
        selection = selection_of(self._parts.kinds, document, one.context)
        if known is None:
            self._followed[one.id] = _Followed(said=one.document, document=document, selection=selection)
        else:
            known.said, known.document, known.selection = one.document, document, selection
            known.round = None

    async def _begin(
        self, connection: Connection, one: EntitySubscription, followed: _Followed, towns: Towns
    ) -> None:
        """Begin to tell the next page; without any, the round is over."""
        selection = followed.selection
        wanted = WantedChanges(kinds=selection.kinds, towns=towns, names=selection.names)
        page = await asyncio.to_thread(self._next_page, one, followed, wanted)
        if page.changes and followed.round is not None:
            followed.telling = asyncio.create_task(self._tell(one, followed, towns, followed.round, page))
        else:
            await _note_progress(connection, one, page)

    def _next_page(self, one: EntitySubscription, followed: _Followed, wanted: WantedChanges) -> ChangePage:
        if followed.round is None:
            followed.round = self._noticed.changes.begin(followed.place, one.follows_from, wanted)
            followed.began = None if not followed.round.is_over else followed.began
        page = followed.round.page(AT_ONCE)
        if not page.changes:
            followed.place, followed.round = followed.round.until, None
        return page

    async def _tell(
        self, one: EntitySubscription, followed: _Followed, towns: Towns, current: Round, page: ChangePage
    ) -> None:
        """Tell one subscription of one page of a round."""
        lane = self._slow if one.failures > 0 or followed.took_s > SLOW_S else self._quick
        async with lane.turn(one.towns):
            if followed.round is not current:
                return  # it was edited meanwhile: the page is not what it asks for
            try:
                sent = await self._post(one, followed, towns, page, lane)
            except (Undelivered, TooMuch) as error:
                await self._note_failure(one, str(error), getattr(error, "retry_after_s", None))
            except Exception as error:  # the edge of a task
                if not is_outage(error):  # of the database: the next look has it too, and waits
                    log.exception("subscription cannot be told", subscription=one.id)
                    await self._note_failure(one, "our mistake; the log has the details", None)
            else:
                if followed.round is current:
                    current.told(page)
                    if current.is_over:
                        followed.place, followed.round = current.until, None
                if sent and one.failures:
                    log.info("receiver of a subscription is there again", subscription=one.id)

    async def _post(
        self, one: EntitySubscription, followed: _Followed, towns: Towns, page: ChangePage, lane: Lane
    ) -> bool:
        """Post what a page has to tell; return whether there was anything."""
        # Both as they are now: while this waits, an edit may put others in their place.
        parts, wish, selection = self._parts, followed.document.notification.endpoint, followed.selection
        changes = {change.name: change for change in page.changes}
        wanted = WantedDevices(kinds=sorted(selection.kinds), names=[*changes], within=towns)
        async with parts.pool.acquire() as connection:
            devices = await devices_now(connection, wanted, limit=AT_ONCE)
            secrets = await headers_of(connection, one.id, wish.uri)
        effort = Effort(lambda: lane.judging, JUDGING_S)
        named = [(device, changes[device.name]) for device in devices]
        try:
            entities = await effort.spend(selection.written, parts.kinds, named, effort.check)
        finally:
            followed.took_s = JUDGING_S - effort.left_s
        if not entities:
            async with parts.pool.acquire() as connection:
                await _note_progress(connection, one, page)
            return False
        at = to_datetime(parts.now())
        notification = EntityNotification(
            id=uuid4(),
            subscription=one.id,
            at=at,
            entities=entities,
            context=one.context,
            holds_context=selection.how.context is not None,
        )
        began = time.monotonic()
        try:
            await endpoint.post(
                self._client, wish.uri, notification, secrets, targets=parts.targets, resolve=parts.resolve
            )
        finally:
            followed.took_s += time.monotonic() - began
        followed.began = followed.began or at
        assert page.told_until is not None
        async with parts.pool.acquire() as connection:
            await states.mark_sent(connection, one.id, at, page.told_until - OVERLAP)
        return True

    async def _note_failure(self, one: EntitySubscription, reason: str, retry_after_s: float | None) -> None:
        if not one.failures:
            log.warning("subscription cannot be told", subscription=one.id, reason=reason)
        at = to_datetime(self._parts.now())
        pause = min(FIRST_RETRY * 2 ** min(one.failures, 20), LONGEST_RETRY)
        wanted = max(pause, timedelta(seconds=retry_after_s or 0))
        try:
            async with self._parts.pool.acquire() as connection:
                await states.mark_failed(connection, one.id, at, at + wanted, reason)
        except Exception as error:  # the edge of a task: it is tried again at once, and noted then
            if not is_outage(error):
                raise


def _is_due(one: EntitySubscription, followed: _Followed, now: datetime) -> bool:
    if one.retry_at is not None and now < one.retry_at:
        return False
    if followed.round is not None:
        return True
    pause = timedelta(seconds=followed.document.throttling or 0)
    last = followed.began or one.last_notified_at
    return last is None or one.failures > 0 or now >= last + pause


async def _note_progress(connection: Connection, one: EntitySubscription, page: ChangePage) -> None:
    """Store how far a subscription got that there was nothing to tell of, so that a restart begins there."""
    if page.told_until is not None and page.told_until - OVERLAP >= one.follows_from + PROGRESS:
        await states.mark_followed(connection, one.id, page.told_until - OVERLAP)


def _towns(one: EntitySubscription, owner: Identity | None) -> Towns:
    """Return of which municipalities a subscription tells: its own, as far as who made it still may.

    Raises:
        BadSelection: of none.
    """
    if owner is None:
        raise BadSelection("who made it is gone, or may not sign in any more")
    allowed = owner.towns(Permission.MANAGE_TOKENS)
    if allowed is None or one.towns is None:
        found = one.towns if allowed is None else allowed
    else:
        found = sorted({*one.towns} & {*allowed})
    if found is not None and not found:
        raise BadSelection("who made it may not any more")
    return found
