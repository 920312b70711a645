"""The live stream: Server-Sent Events of alerts and newest readings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.alerts import format_cursor, parse_cursor
from api.context import Context, UsesContext
from api.latest import LatestOut
from api.live import Live
from api.problems import Problem
from api.subscription import Interest, LiveAlert, Subscription
from api.times import of_microseconds
from rules.events import Cursor
from rules.transition import Severity

router = APIRouter(tags=["live"])

READINGS_AT_A_TIME = 500
"""Newest readings in one event; a browser parses that many without a stutter."""
RETRY_MS = 2000


def _interest(
    kind: Annotated[str | None, Query(max_length=31)] = None,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    severity: Annotated[list[Severity] | None, Query(description="may be repeated; alerts only")] = None,
) -> Interest:
    severities = frozenset(severity) if severity else None
    return Interest(kind=kind, municipality=municipality, severities=severities)


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


@router.get("/stream", response_class=EventSourceResponse, summary="Alerts and newest readings as they come")
async def stream(
    context: UsesContext,
    interest: Annotated[Interest, Depends(_interest)],
    after: Annotated[Cursor | None, Depends(_start)],
) -> AsyncIterator[ServerSentEvent]:
    """Send events `hello`, `alert`, `latest` and `missed` until either side hangs up.

    `alert` carries an id: give the last one as Last-Event-ID and nothing in between is lost. `missed` says
    how many alert events a slow client was not sent: read the list of alerts again. `latest` needs no
    replay.
    """
    live = context.live
    with live.subscribe(interest) as subscription:
        # Everything up to here is replayed, everything later is in the subscription already.
        until = live.cursor or (0, 0)
        yield _hello(context, after or until)
        if after is not None:
            async for past in live.replay(after, until, interest):
                yield _alert_event(past)
        async for event in _events(live, subscription, until):
            yield event


async def _events(live: Live, subscription: Subscription, after: Cursor) -> AsyncIterator[ServerSentEvent]:
    while True:
        waiting = await subscription.wait()
        if subscription.closed:
            return
        if waiting.missed:
            yield _event("missed", {"alerts": waiting.missed})
        for alert in waiting.alerts:
            if alert.cursor > after:
                yield _alert_event(alert)
        for i in range(0, len(waiting.latest), READINGS_AT_A_TIME):
            yield _latest_event(waiting.latest[i : i + READINGS_AT_A_TIME])


def _hello(context: Context, cursor: Cursor) -> ServerSentEvent:
    text = msgspec.json.encode({"now": of_microseconds(context.now()), "speed": context.speed}).decode()
    return ServerSentEvent(event="hello", raw_data=text, id=format_cursor(cursor), retry=RETRY_MS)


def _alert_event(live: LiveAlert) -> ServerSentEvent:
    body = {"event": live.event.model_dump(mode="json"), "alert": live.alert.model_dump(mode="json")}
    return _event("alert", body, format_cursor(live.cursor))


def _latest_event(latest: list[LatestOut]) -> ServerSentEvent:
    return _event("latest", {"items": [one.model_dump(mode="json") for one in latest]})


def _event(name: str, body: object, cursor: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(event=name, raw_data=msgspec.json.encode(body).decode(), id=cursor)
