"""The one follower that tells subscriptions of changes; of several processes one does so.

A subscription is told one page after the other. How far it got is stored once the receiver has answered: what
a kill, an outage of either side or the last seconds before a restart leave in doubt is told again, as it is
then. Each waits for its own receiver only; those that fail have turns of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import structlog
from pydantic import ValidationError

from alerts.overview import changed
from alerts.overview.changed import ALERTS_AT_ONCE, OVERLAP
from alerts.overview.now import WantedDevices, devices_now
from api.standards.effort import Effort, TooMuch
from api.standards.ngsi_ld.subscriptions import endpoint
from api.standards.ngsi_ld.subscriptions.changes import ChangePage, Changes
from api.standards.ngsi_ld.subscriptions.document import SubscriptionDocument
from api.standards.ngsi_ld.subscriptions.endpoint import EntityNotification
from api.standards.ngsi_ld.subscriptions.selection import BadSelection, Selection, selection_of
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
"""How often changes and subscriptions are looked at: a subscription is told once in it at most."""
AT_ONCE = 500
"""Entities of one notification at most."""
TURNS, TURNS_OF_FAILING = 8, 2
"""Notifications that are made and under way at once: to receivers that answer, and to those that did not."""
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
    """A subscription: what it asks for, how far it got in this process, and what tells it now."""

    said: Mapping[str, Any]
    document: SubscriptionDocument
    selection: Selection
    place: int = 0
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
        self._changes = Changes()
        self._alerts: tuple[int, int] | None = None
        self._followed: dict[str, _Followed] = {}
        self._turns = asyncio.Semaphore(TURNS), asyncio.Semaphore(TURNS_OF_FAILING)
        self._judging = asyncio.Semaphore(1)

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
        if not active:
            self._changes, self._alerts = Changes(), None
            return
        await self._notice(connection, min(one.follows_from for one in active))
        for one in active:
            if one.id in towns and one.id not in busy and _is_due(one, self._followed[one.id], now):
                await self._begin(one, self._followed[one.id], towns[one.id])

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
                found[one.id] = _towns(one, owners[one.principal])
            except BadSelection as error:
                stopped = str(error)
            if stopped != one.stopped:
                await states.mark_stopped(connection, one.id, stopped)
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

    async def _notice(self, connection: Connection, since: datetime) -> None:
        if self._alerts is None:
            self._alerts = await changed.cursor_at(connection, since)
        newest = self._changes.newest
        after = since if newest is None else max(newest - OVERLAP, since)
        found = await changed.devices_since(connection, after)
        # In threads, one after the other: of tens of thousands of devices others would wait for it.
        await asyncio.to_thread(self._changes.note_devices, found, after)
        while True:
            alerts = await changed.alerts_after(connection, self._alerts)
            self._changes.note_alerts(alerts)
            if alerts:
                self._alerts = alerts[-1].cursor
            if len(alerts) < ALERTS_AT_ONCE:
                return

    async def _begin(self, one: EntitySubscription, followed: _Followed, towns: Towns) -> None:
        kinds = followed.selection.kinds
        page = await asyncio.to_thread(
            self._changes.after, followed.place, one.follows_from, kinds, towns, AT_ONCE
        )
        if page.changes:
            followed.telling = asyncio.create_task(self._tell(one, followed, towns, page))
        else:
            followed.place = page.place

    async def _tell(
        self, one: EntitySubscription, followed: _Followed, towns: Towns, page: ChangePage
    ) -> None:
        """Tell one subscription of one page."""
        async with self._turns[one.failures > 0]:
            try:
                sent = await self._post(one, followed, towns, page)
            except (Undelivered, TooMuch) as error:
                await self._note_failure(one, str(error), getattr(error, "retry_after_s", None))
            except Exception as error:  # the edge of a task
                if not is_outage(error):  # of the database: the next look has it too, and waits
                    log.exception("subscription cannot be told", subscription=one.id)
                    await self._note_failure(one, "our mistake; the log has the details", None)
            else:
                followed.place = page.place
                if sent and one.failures:
                    log.info("receiver of a subscription is there again", subscription=one.id)

    async def _post(
        self, one: EntitySubscription, followed: _Followed, towns: Towns, page: ChangePage
    ) -> bool:
        """Post what a page has to tell; return whether there was anything."""
        # Both as they are now: while this waits, an edit may put others in their place.
        parts, wish, selection = self._parts, followed.document.notification.endpoint, followed.selection
        changes = {change.name: change for change in page.changes}
        wanted = WantedDevices(kinds=sorted(selection.kinds), names=[*changes], within=towns)
        async with parts.pool.acquire() as connection:
            devices = await devices_now(connection, wanted, limit=AT_ONCE)
            secrets = await headers_of(connection, one.id, wish.uri)
        effort = Effort(lambda: self._judging)
        named = [(device, changes[device.name]) for device in devices]
        entities = await effort.spend(selection.written, parts.kinds, named, effort.check)
        if not entities:
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
        await endpoint.post(
            self._client, wish.uri, notification, secrets, targets=parts.targets, resolve=parts.resolve
        )
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
    pause = timedelta(seconds=followed.document.throttling or 0)
    return one.last_notified_at is None or one.failures > 0 or now >= one.last_notified_at + pause


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
