"""The live stream: Server-Sent Events of alerts, newest readings and commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from alerts.events import Cursor
from alerts.transition import Severity
from api.context import AppContext, UsesContext, UsesIdentity
from api.http.problems import Problem
from api.http.times import of_microseconds
from api.live.subscription import EventFilter, LiveAlert, PendingEvents, Subscription
from api.schemas.alerts import alert_for, event_for, format_cursor, parse_cursor
from api.schemas.commands import command_for
from api.schemas.latest import LatestOut
from people.identity import Identity
from people.roles import Permission
from store.failures import DATABASE_ERRORS, is_outage

router = APIRouter(tags=["live"])

READINGS_AT_A_TIME = 500
"""Newest readings in one event; a browser parses that many without a visible delay."""
RETRY_MS = 2000
RECHECK_S = 4.0
"""How often it is asked whether the client may still see it; with what is remembered, within 10 s."""

Permitted = Callable[[], Awaitable[bool]]


def _interest(
    identity: UsesIdentity,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    severity: Annotated[list[Severity] | None, Query(description="may be repeated; alerts only")] = None,
) -> EventFilter:
    severities = frozenset(severity) if severity else None
    towns = identity.towns(Permission.READ)
    return EventFilter(
        kind=kind,
        municipality=municipality,
        district=district,
        municipalities=None if towns is None else frozenset(towns),
        severities=severities,
    )


def _start(
    context: UsesContext,
    last_event_id: Annotated[str | None, Header(description="replay what came after this event")] = None,
    query: Annotated[
        str | None, Query(alias="last_event_id", description="the same, for clients that cannot set headers")
    ] = None,
) -> Cursor | None:
    if context.live.cursor is None:
        raise Problem(503, "unavailable", f"live stream: {context.live.outage}", headers={"Retry-After": "2"})
    named = last_event_id or query
    if not named:
        return None
    try:
        return parse_cursor(named)
    except ValueError as error:
        raise Problem(400, "bad-request", f"Last-Event-ID: {error}") from error


def _permit(context: UsesContext, identity: UsesIdentity) -> Permitted:
    """Return what tells whether the client may still see what it saw at first."""

    async def permitted() -> bool:
        try:
            return await context.identification.still(identity) == identity
        except DATABASE_ERRORS as error:
            if not is_outage(error):
                raise
            return True  # unknown while the database is away; nothing new can be sent then either

    return permitted


@router.get("/stream", response_class=EventSourceResponse, summary="Alerts and newest readings as they come")
async def stream(
    context: UsesContext,
    identity: UsesIdentity,
    interest: Annotated[EventFilter, Depends(_interest)],
    after: Annotated[Cursor | None, Depends(_start)],
    permitted: Annotated[Permitted, Depends(_permit)],
) -> AsyncIterator[ServerSentEvent]:
    """Send events `hello`, `alert`, `latest`, `command` and `missed` until either side hangs up, or the
    caller's session, token or roles end.

    `alert` carries an id: give the last one as Last-Event-ID and nothing in between is lost. `missed` says
    how many events, alerts and commands, a slow client was not sent: read the lists again. `latest` needs no
    replay, nor does `command`: one command as it stands after each change.
    """
    live = context.live
    with live.subscribe(interest) as subscription:
        # Events up to here are replayed, later ones are in the subscription already.
        until = live.cursor or (0, 0)
        yield _hello(context, after or until)
        if after is not None:
            async for past in live.replay(after, until, interest):
                yield _alert_event(past, identity)
        async for event in _events(subscription, until, permitted, identity):
            yield event


async def _events(
    subscription: Subscription, after: Cursor, permitted: Permitted, identity: Identity
) -> AsyncIterator[ServerSentEvent]:
    loop = asyncio.get_running_loop()
    check_at = loop.time() + RECHECK_S
    while True:
        waiting = PendingEvents()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(check_at):
                waiting = await subscription.wait()
        if subscription.closed:
            return
        if loop.time() >= check_at:
            if not await permitted():
                return
            check_at = loop.time() + RECHECK_S
        if waiting.missed:
            yield _event("missed", {"alerts": waiting.missed})
        for alert in waiting.alerts:
            if alert.cursor > after:
                yield _alert_event(alert, identity)
        for i in range(0, len(waiting.latest), READINGS_AT_A_TIME):
            yield _latest_event(waiting.latest[i : i + READINGS_AT_A_TIME])
        for command in waiting.commands:
            yield _event("command", command_for(identity, command).model_dump(mode="json"))


def _hello(context: AppContext, cursor: Cursor) -> ServerSentEvent:
    body = {
        "now": of_microseconds(context.now()),
        "speed": context.speed,
        "version": context.console_version,
    }
    text = msgspec.json.encode(body).decode()
    return ServerSentEvent(event="hello", raw_data=text, id=format_cursor(cursor), retry=RETRY_MS)


def _alert_event(live: LiveAlert, identity: Identity) -> ServerSentEvent:
    event = event_for(identity, live.event, live.alert.municipality)
    alert = alert_for(identity, live.alert)
    body = {"event": event.model_dump(mode="json"), "alert": alert.model_dump(mode="json")}
    return _event("alert", body, format_cursor(live.cursor))


def _latest_event(latest: list[LatestOut]) -> ServerSentEvent:
    return _event("latest", {"items": [one.model_dump(mode="json") for one in latest]})


def _event(name: str, body: object, cursor: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(event=name, raw_data=msgspec.json.encode(body).decode(), id=cursor)
