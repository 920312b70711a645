"""Teams: list, add, change, remove."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response

from api.access import in_town
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.schemas.routing import TeamChanges, TeamIn, TeamOut
from devices.registry.errors import NotFound
from notify.routing import teams
from notify.routing.teams import NewTeam, Team
from people.roles import Permission

router = APIRouter(prefix="/teams", tags=["notifications"])

TeamName = Annotated[str, Path(max_length=63)]


@router.get("", response_model=Page[TeamOut], summary="List teams by name")
async def list_teams(
    request: Request,
    connection: UsesConnection,
    identity: UsesIdentity,
    after: Annotated[str | None, Query(max_length=63, description="cursor")] = None,
    limit: Limit = 100,
) -> Response:
    """Return teams of the caller's municipalities, and those of all."""
    within = identity.towns(Permission.READ_NAMES)
    found = await teams.list_teams(connection, within=within, after=after, limit=limit + 1)
    return pages.answer(request, [_out(team) for team in found], limit=limit, cursor=("after", "name"))


@router.post("", status_code=201, summary="Add a team")
async def add_team(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: TeamIn,
) -> TeamOut:
    """Add a team; its members hold a role in its municipality."""
    in_town(
        identity,
        Permission.EDIT_ROUTES,
        body.municipality,
        NotFound("municipality", body.municipality or ""),
    )
    new = NewTeam(**body.model_dump())
    added = await teams.add_team(connection, new, context.real_now(), by=actor)
    response.headers["Location"] = f"{request.url.path}/{added.name}"
    return _tagged(response, added)


@router.get("/{team}", summary="One team")
async def get_team(team: TeamName, response: Response, connection: UsesConnection) -> TeamOut:
    """Return a team with its ETag."""
    return _tagged(response, await teams.get_team(connection, team))


@router.patch("/{team}", summary="Change a team")
async def edit_team(
    team: TeamName,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: TeamChanges,
    if_match: Annotated[str | None, Header(description='ETag of the version to change, or "*"')] = None,
) -> TeamOut:
    """Change a team, unless somebody else changed it since the version named by If-Match."""
    edited = await teams.edit_team(
        connection,
        team,
        body.model_dump(exclude_unset=True),
        context.real_now(),
        by=actor,
        version=pages.wanted_version(if_match),
    )
    return _tagged(response, edited)


@router.delete("/{team}", status_code=204, summary="Remove a team")
async def remove_team(
    team: TeamName, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> None:
    """Remove a team that no route names."""
    await teams.remove_team(connection, team, context.real_now(), by=actor)


def _tagged(response: Response, found: Team) -> TeamOut:
    response.headers["ETag"] = f'"{found.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    return _out(found)


def _out(found: Team) -> TeamOut:
    return TeamOut(**{name: getattr(found, name) for name in TeamOut.model_fields})
