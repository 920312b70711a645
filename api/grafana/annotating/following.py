"""Follows what happens to alerts and brings their annotations in Grafana to what is wanted, each once.

An alert that has changed is looked up by its tag before anything is written, and the place is moved after
it: whatever was posted before a kill is found, and nothing stands there twice. Must not know HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.events import EventType, events_after
from alerts.queue import get_alerts
from api.grafana.annotating import places
from api.grafana.annotating.annotation import AlertAnnotation, AnnotationText, annotation_of
from api.grafana.sync.errors import GrafanaRefused
from api.grafana.sync.server import GrafanaServer
from api.grafana.sync.wanted import municipality_of, organisation_name
from store.connection import Connection

EVENTS = 100
"""Most events between two moves of the place: so many alerts are looked up again after a kill."""
AT_ONCE = 8
"""How many requests a server far away is asked at the same time."""
CHANGES = frozenset({EventType.OPENED, EventType.SEVERITY, EventType.RESOLVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationOrganisation:
    """An organisation that gets annotations; municipality None: of all of them."""

    name: str
    number: int
    municipalities: frozenset[str] | None


@dataclass(slots=True, kw_only=True)
class AnnotationCount:
    """How many annotations an organisation got, and how many of them were changed."""

    organisation: str
    posted: int = 0
    changed: int = 0


async def organisations(server: GrafanaServer, only: Collection[str]) -> list[AnnotationOrganisation]:
    """Return who gets annotations: ours, or the one of the token; `only`: of these municipalities.

    Raises:
        GrafanaFailed: there is none, or its boards mark alerts by SQL already.
    """
    await server.require()
    if server.address.token:
        there = dict([await server.own_organisation()])
    else:
        there = {n: i for n, i in (await server.organisations()).items() if _is_ours(n, only)}
    if not there:
        raise GrafanaRefused(
            f"{server.address.url} has no organisation of ours: run `nabd grafana sync --annotations`,"
            " or set NABD_GRAFANA_TOKEN of the organisation that is to have them"
        )
    found = [
        AnnotationOrganisation(name=name, number=number, municipalities=_seen_by(name, only))
        for name, number in there.items()
    ]
    await _refuse_both(server, found)
    return found


def _is_ours(name: str, only: Collection[str]) -> bool:
    town = municipality_of(name)
    return name == organisation_name(town) and (not only or town in only)


def _seen_by(name: str, only: Collection[str]) -> frozenset[str] | None:
    town = municipality_of(name)
    if town is not None:
        return frozenset({town})
    return frozenset(only) or None


async def _refuse_both(server: GrafanaServer, found: Sequence[AnnotationOrganisation]) -> None:
    for one in found:
        own = server.within(one.number)
        try:
            if await own.marks_alerts_by_sql():
                raise GrafanaRefused(
                    f"boards of organisation {one.name!r} mark alerts by SQL, and would show them twice:"
                    " run `nabd grafana sync --annotations` first"
                )
        finally:
            await own.close()


async def follow(
    connection: Connection,
    server: GrafanaServer,
    organisation: AnnotationOrganisation,
    written: AnnotationText,
    since: datetime,
) -> AnnotationCount:
    """Bring the annotations of an organisation up to date; one that is new gets alerts after `since`.

    Raises:
        GrafanaFailed: the server did not take one; it is tried again next time.
    """
    count = AnnotationCount(organisation=organisation.name)
    own, url = server.within(organisation.number), server.address.url
    try:
        cursor = await places.place(connection, url, organisation.name, since)
        while events := await events_after(connection, cursor, EVENTS):
            seen = organisation.municipalities
            changed = {
                e.alert_id for e in events if e.type in CHANGES and (not seen or e.municipality in seen)
            }
            alerts = await get_alerts(connection, changed)
            await _put_all(own, [annotation_of(alert, written) for alert in alerts], count)
            cursor = events[-1].cursor
            await places.move(connection, url, organisation.name, cursor)
        return count
    finally:
        await own.close()


async def _put_all(
    own: GrafanaServer, annotations: Sequence[AlertAnnotation], count: AnnotationCount
) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one_of_them(annotation: AlertAnnotation) -> None:
        async with gate:
            await _put(own, annotation, count)

    # All have ended before a failure is told: none may still be written when it is looked up again.
    answers = await asyncio.gather(*map(one_of_them, annotations), return_exceptions=True)
    for failure in answers:
        if failure is not None:
            raise failure


async def _put(own: GrafanaServer, annotation: AlertAnnotation, count: AnnotationCount) -> None:
    there = [one for one in await own.annotations_of(annotation.tag) if annotation.is_of(one)]
    if not there:
        await own.post_annotation(annotation)
        count.posted += 1
    elif not annotation.is_said_by(there[0]):
        await own.change_annotation(there[0]["id"], annotation)
        count.changed += 1
