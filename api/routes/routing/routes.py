"""Routes: the document in force, another one, its history, and whom an alert would be told."""

from __future__ import annotations

import asyncio
from collections.abc import Container
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from api.access import in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.problems import Problem
from api.routes.rule_text import refusal
from api.schemas.routing import (
    PlannedContactOut,
    RouteAnswerOut,
    RouteChangeOut,
    RouteHistoryOut,
    RouteQuestion,
    RoutesOut,
)
from devices.instants import to_microseconds
from devices.registry.errors import Conflict, NotFound
from notify.routing import documents
from notify.routing.documents import RouteDocument
from notify.routing.load import facts_of, load
from notify.routing.route_reader import RoutesRefused, read_routes
from notify.routing.told import RouteAnswer, would_tell
from people.roles import Permission

router = APIRouter(prefix="/routes", tags=["notifications"])

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "the routes in YAML, see docs/routes.md",
        "content": {
            "application/yaml": {
                "schema": {"type": "string"},
                "example": "tell: operators\nroutes:\n  - match: {severity: warning}\n    tell: []\n",
            },
        },
    }
}
"""The schema of a body that is read as text, so that mistakes have their line and column."""


@router.get("", summary="The routes in force")
async def get_routes(response: Response, connection: UsesConnection) -> RoutesOut:
    """Return the routes as they were written, with their ETag."""
    return _tagged(response, await documents.routes_in_force(connection))


@router.put(
    "",
    openapi_extra=BODY,
    responses={
        412: {"description": "they changed since the version that If-Match names"},
        422: {"description": "what is wrong with them, each mistake with line, column and suggestion"},
    },
    summary="Put routes into force",
)
async def put_routes(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    if_match: Annotated[str | None, Header(description='ETag of the version to change, or "*"')] = None,
    dry_run: Annotated[bool, Query(description="check, and write nothing")] = False,
) -> RoutesOut:
    """Check routes and put them into force; with a mistake those in force stay."""
    version = pages.wanted_version(if_match)
    try:
        text = (await request.body()).decode()
        if dry_run:
            names = await documents.known_names(connection, context.kinds)
            await asyncio.to_thread(read_routes, text, names)
            present = await documents.routes_in_force(connection)
            documents.refuse_another(present, version)
            return _tagged(response, present)
        applied = await documents.apply_routes(
            connection, context.kinds, text, by=actor, now=context.real_now(), version=version
        )
    except UnicodeDecodeError:
        raise Problem(400, "bad-request", "the body is not UTF-8") from None
    except RoutesRefused as refused:
        raise refusal(refused) from refused
    except Conflict as conflict:
        raise Problem(412, "changed-meanwhile", str(conflict)) from conflict
    return _tagged(response, applied)


@router.get("/history", summary="Who changed the routes, and when")
async def get_history(connection: UsesConnection) -> RouteHistoryOut:
    """Return every version that was applied, oldest first, without the texts."""
    found = await documents.history(connection)
    kept = RouteChangeOut.model_fields
    return RouteHistoryOut(items=[RouteChangeOut(**{n: getattr(d, n) for n in kept}) for d in found])


@router.post("/test", summary="Say whom an alert would be told")
async def try_routes(
    context: UsesContext, connection: UsesConnection, identity: UsesIdentity, body: RouteQuestion
) -> RouteAnswerOut:
    """Return who would be told of an alert of a device, by which channel and when, if nobody acknowledges.

    Nothing is sent. Addresses are not in the answer.
    """
    facts = await facts_of(connection, body.device, body.severity, body.rule)
    in_town(identity, Permission.READ_NAMES, facts.municipality, NotFound("device", body.device))
    at = context.now() if body.at is None else to_microseconds(body.at)
    return _answer(would_tell(await load(connection), facts, at), context.channels)


def _tagged(response: Response, found: RouteDocument) -> RoutesOut:
    response.headers["ETag"] = f'"{found.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    return RoutesOut(**{name: getattr(found, name) for name in RoutesOut.model_fields})


def _answer(found: RouteAnswer, channels: Container[str]) -> RouteAnswerOut:
    facts, plan = found.facts, found.plan
    return RouteAnswerOut(
        route=plan.route,
        municipality=facts.municipality,
        kind=facts.kind,
        district=facts.district,
        severity=facts.severity.value,
        rule=facts.rule,
        at=found.at,
        repeat_s=plan.repeat_s,
        group_for_s=plan.group_for_s,
        resolved=plan.resolved,
        told=[
            PlannedContactOut(**{n: getattr(one, n) for n in PlannedContactOut.model_fields})
            for one in found.told
        ],
        not_set_up=list(found.not_among(channels)),
    )
