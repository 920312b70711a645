"""People: list, add, change, disable, delete; and help for those who cannot sign in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import forbidden, judge_person
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Fields, Limit, Page
from api.http.times import Instant
from api.schemas.contact import Channels, Quiet, QuietHoursOut, StepOut, Steps
from devices.registry.errors import Invalid
from people import editing, first, links, person, sign_in
from people.editing import NewPerson
from people.identity import Grant, Identity, of_texts, to_text
from people.person import Person
from people.roles import Permission
from store.connection import Connection

router = APIRouter(tags=["people"])

Name = Annotated[str, Path(max_length=63)]
Roles = Annotated[list[str], Field(max_length=100, examples=[["operator@tripoli", "viewer@nablus"]])]

Word = Annotated[str, Field(min_length=1, max_length=64)]
Skills = Annotated[
    list[Word],
    Field(max_length=100, examples=[["light", "bin"]], description="kinds of devices that they can repair"),
]
Districts = Annotated[
    list[Word],
    Field(max_length=100, examples=[["west"]], description="codes of the districts where they work"),
]


class PersonIn(BaseModel):
    """A person to add. Without a password they sign in by links."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=63, examples=["rima"], description="what they sign in with")
    display_name: str = Field(default="", max_length=100, examples=["Rima Haddad"])
    language: str = Field(default="en", max_length=2, examples=["ar"])
    phone: str | None = Field(default=None, max_length=32, examples=["+961 3 123 456"])
    email: str | None = Field(default=None, max_length=255, examples=["rima@example.org"])
    channels: Channels = {}
    calendar: str | None = Field(default=None, max_length=64)
    steps: Steps = []
    quiet_hours: Quiet = []
    skills: Skills = []
    districts: Districts = []
    password: str | None = Field(default=None, max_length=200)
    roles: Roles = []


class PersonChanges(BaseModel):
    """What to change; members left out stay. `roles` are all that they hold from then on."""

    model_config = ConfigDict(extra="forbid")

    display_name: str = Field(default="", max_length=100, examples=["Rima Haddad"])
    language: str = Field(default="en", max_length=2)
    phone: str | None = Field(default=None, max_length=32)
    email: str | None = Field(default=None, max_length=255)
    channels: Channels = {}
    calendar: str | None = Field(default=None, max_length=64)
    steps: Steps = []
    quiet_hours: Quiet = []
    skills: Skills = []
    districts: Districts = []
    roles: Roles = []


class PasswordIn(BaseModel):
    """Another password for somebody who lost theirs."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(max_length=200)


class PersonOut(BaseModel):
    """One person."""

    name: str = Field(examples=["rima"])
    display_name: str = Field(examples=["Rima Haddad"])
    language: str
    phone: str | None
    email: str | None
    channels: dict[str, Any]
    calendar: str | None
    steps: list[StepOut]
    quiet_hours: list[QuietHoursOut]
    skills: list[str] = Field(default=[], description="kinds of devices that they can repair")
    districts: list[str] = Field(default=[], description="codes of the districts where they work")
    roles: list[str] = Field(examples=[["operator@tripoli"]])
    has_password: bool
    has_totp: bool
    recovery_codes: int = Field(description="how many are left")
    disabled_at: Instant | None
    last_seen_at: Instant | None = Field(description="in a session that is still open")
    oidc_issuer: str | None = Field(description="where they sign in instead of here; null: here")
    version: int = Field(description="also the ETag")


class LinkOut(BaseModel):
    """A link that signs somebody in once, within ten minutes."""

    path: str = Field(description="below the address of this API", examples=["/signin?link=..."])


@router.get("/users", response_model=Page[PersonOut], summary="List people by name")
async def list_users(
    request: Request,
    connection: UsesConnection,
    identity: UsesIdentity,
    after: Annotated[str | None, Query(max_length=63, description="cursor")] = None,
    limit: Limit = 100,
    fields: Fields = None,
) -> Response:
    """Return people who hold a role where the caller manages people."""
    within = identity.towns(Permission.MANAGE_PEOPLE)
    found = await person.list_people(connection, within=within, after=after, limit=limit + 1)
    return pages.answer(
        request, [_out(one) for one in found], limit=limit, cursor=("after", "name"), fields=fields
    )


@router.post("/users", status_code=201, summary="Add a person")
async def add_user(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: PersonIn,
) -> PersonOut:
    """Add a person with roles where the caller manages people."""
    grants = _grants(body.roles, identity)
    fields = body.model_dump(exclude={"roles"}, by_alias=True)
    added = await editing.add_person(
        connection, NewPerson(**fields, grants=grants), context.real_now(), by=actor
    )
    response.headers["Location"] = f"{request.url.path}/{added.name}"
    return _tagged(response, added)


def _grants(roles: Sequence[str], identity: Identity) -> list[Grant]:
    """Return the roles that a body names.

    Raises:
        Invalid: one is none, or there is none at all and nobody but this caller could see the person.
        Problem: the caller may not give them.
    """
    try:
        grants = sorted(of_texts(roles), key=to_text)
    except ValueError as error:
        raise Invalid("roles", f"{error}; write operator@tripoli, or viewer for all municipalities") from None
    if not grants and not identity.may_in(Permission.MANAGE_PEOPLE, None):
        raise Invalid("roles", "name at least one")
    if not identity.may_hand_out(grants):
        raise forbidden(Permission.MANAGE_PEOPLE, "in every municipality of these roles")
    return grants


@asynccontextmanager
async def _held(connection: Connection, identity: Identity, name: str) -> AsyncIterator[Person]:
    """Change a person in one transaction, as the roles that they hold in it allow the caller.

    Raises:
        NotFound: there is nobody of that name, or the caller must not know of them.
        Problem: 403.
    """
    async with connection.transaction():
        found = await person.locked_person(connection, name)
        judge_person(identity, found, "POST")
        yield found


@router.get("/users/{user}", summary="One person")
async def get_user(user: Name, response: Response, connection: UsesConnection) -> PersonOut:
    """Return a person with their ETag."""
    return _tagged(response, await person.get_person(connection, user))


@router.patch("/users/{user}", summary="Change a person")
async def edit_user(
    user: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: PersonChanges,
    if_match: Annotated[str | None, Header(description='ETag of the version to change, or "*"')] = None,
) -> PersonOut:
    """Change a person, unless somebody else changed them since the version named by If-Match."""
    changes = body.model_dump(exclude_unset=True, exclude={"roles"}, by_alias=True)
    grants = _grants(body.roles, identity) if "roles" in body.model_fields_set else None
    version = pages.wanted_version(if_match)
    async with _held(connection, identity, user):
        changed = await editing.edit_person(
            connection, user, changes, context.real_now(), by=actor, grants=grants, version=version
        )
    context.identification.forget()
    return _tagged(response, changed)


@router.delete("/users/{user}", status_code=204, summary="Forget a person")
async def delete_user(
    user: Name, context: UsesContext, connection: UsesConnection, identity: UsesIdentity, actor: UsesActor
) -> None:
    """Forget a person; what they did stays, without their name."""
    async with _held(connection, identity, user):
        await editing.delete_person(connection, user, context.real_now(), by=actor, work_now=context.now())
    context.identification.forget()


@router.post("/users/{user}/disable", summary="Let a person in no more")
async def disable_user(
    user: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> PersonOut:
    """End a person's sessions and links; their requests and streams end within 10 s."""
    async with _held(connection, identity, user):
        disabled = await editing.disable_person(
            connection, user, context.real_now(), by=actor, work_now=context.now()
        )
    context.identification.forget()
    return _tagged(response, disabled)


@router.post("/users/{user}/enable", summary="Let a person in again")
async def enable_user(
    user: Name,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> PersonOut:
    """Take back that a person was disabled."""
    async with _held(connection, identity, user):
        enabled = await editing.enable_person(connection, user, context.real_now(), by=actor)
    return _tagged(response, enabled)


@router.post("/users/{user}/password", status_code=204, summary="Give a person another password")
async def set_password(
    user: Name,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: PasswordIn,
) -> None:
    """Give a person another password; their sessions and open links end."""
    async with _held(connection, identity, user) as found:
        await editing.set_password(connection, found, body.password, context.real_now(), by=actor)
    context.identification.forget()


@router.post("/users/{user}/link", status_code=201, summary="Make a link that signs a person in")
async def make_link(
    user: Name, context: UsesContext, connection: UsesConnection, identity: UsesIdentity, actor: UsesActor
) -> LinkOut:
    """Return a link for somebody who has no password yet, or lost it: good once, for ten minutes."""
    async with _held(connection, identity, user) as found:
        secret = await links.create_link(connection, found.id, context.real_now(), by=actor)
    return LinkOut(path=first.address_of("", secret))


@router.delete("/users/{user}/totp", status_code=204, summary="Ask a person for no codes any more")
async def take_totp_away(
    user: Name, context: UsesContext, connection: UsesConnection, identity: UsesIdentity, actor: UsesActor
) -> None:
    """Take the app of somebody who lost it away; they set up another one."""
    async with _held(connection, identity, user) as found:
        await sign_in.drop_totp(connection, found, context.real_now(), by=actor, totp_required=False)


def _tagged(response: Response, found: Person) -> PersonOut:
    response.headers["ETag"] = f'"{found.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    return _out(found)


def _out(found: Person) -> PersonOut:
    kept = {name: getattr(found, name) for name in PersonOut.model_fields if name != "roles"}
    return PersonOut(**kept, roles=sorted(map(to_text, found.grants)))
