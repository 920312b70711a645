"""Silences: which there are, make one, end one early."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from alerts import silencing
from alerts.silencing import NewSilence, SilenceRecord
from api.access import forbidden, in_town, in_town_of_device
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.http.times import Asked, Instant
from api.idempotency import UsesChangeRequest
from api.schemas.words import NO_CONTROL
from devices.registry.errors import NotFound
from people.identity import Identity
from people.roles import Permission
from store.connection import Connection

router = APIRouter(tags=["silences"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class AttributeValue(BaseModel):
    """Devices of which an attribute has this value."""

    name: str = Field(min_length=1, max_length=100, pattern=NO_CONTROL, examples=["circuit"])
    value: str = Field(
        min_length=1,
        max_length=500,
        pattern=NO_CONTROL,
        description="as text; numbers and `true`, `false` are meant too",
        examples=["C-17"],
    )


class SilenceOut(BaseModel):
    """Alerts to which all of this applies: nobody is told of them meanwhile. null applies to every one."""

    id: int
    municipality: str | None = Field(examples=["tripoli"], description="null: all of them")
    device: str | None = Field(examples=[None])
    rule: str | None = Field(examples=["lamp-out"])
    kind: str | None = Field(examples=[None])
    district: str | None = Field(examples=["west"], description="code of a district")
    attribute: AttributeValue | None
    from_at: Instant
    until_at: Instant = Field(description="not included")
    reason: str = Field(examples=["The square is dug up"], description="empty for who may not see names")
    author: str | None = Field(examples=["Rima"], description="null for who may not see names")
    created_at: Instant
    ended_at: Instant | None = Field(description="somebody ended it early, perhaps before it began")
    ended_by: str | None = Field(description="null also for who may not see names")
    state: Literal["coming", "active", "past"]


class SilenceRequest(BaseModel):
    """Which alerts, by one at least of device, rule, kind, district and attribute; until when, and why."""

    municipality: str | None = Field(
        default=None,
        max_length=32,
        description="that of the device without it, else all; must be said with a district or an attribute",
    )
    device: str | None = Field(default=None, max_length=64, examples=["light-0042"])
    rule: str | None = Field(default=None, max_length=200)
    kind: str | None = Field(default=None, max_length=31)
    district: str | None = Field(default=None, max_length=64)
    attribute: AttributeValue | None = None
    from_at: Asked | None = Field(default=None, description="now without it")
    until_at: Asked = Field(description="not included; at most 366 days after the beginning")
    reason: str = Field(
        min_length=1,
        max_length=silencing.REASON_LENGTH,
        pattern=NO_CONTROL,
        examples=["The square is dug up"],
    )

    def as_new(self) -> NewSilence:
        """Return what is asked for."""
        named = self.model_dump(exclude={"attribute"})
        if self.attribute is not None:
            named |= {"attribute": self.attribute.name, "value": self.attribute.value}
        return NewSilence(**named)


@router.get("/silences", response_model=Page[SilenceOut], summary="List silences")
async def list_silences(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32, description="and those of all")] = None,
    past: Annotated[bool, Query(description="those that have ended too")] = False,
    after: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="cursor")] = None,
    limit: Limit = 100,
) -> Response:
    """Return silences that are active or coming, in the order they were made."""
    if municipality is not None:
        in_town(identity, Permission.READ, municipality, NotFound("municipality", municipality))
    found = await silencing.list_silences(
        connection,
        now=context.now(),
        municipality=municipality,
        past=past,
        after=after,
        limit=limit + 1,
        within=identity.towns(Permission.READ),
    )
    return pages.answer(request, [_out(s, identity) for s in found], limit=limit, cursor=("after", "id"))


@router.post("/silences", status_code=201, summary="Silence alerts")
async def add_silence(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: SilenceRequest,
) -> SilenceOut:
    """Have nobody told of some alerts for a while: they open and end as always, and are shown as silenced.

    One that still fires when the silence ends is told then.
    """
    await _check(connection, identity, body)

    async def work() -> SilenceOut:
        made = await silencing.add_silence(
            connection, context.kinds, body.as_new(), by=actor, now=context.now()
        )
        return _out(made, identity)

    made = await command.once(SilenceOut, work, body)
    response.headers["Location"] = f"{request.url.path}/{made.id}"
    return made


@router.get("/silences/{silence:number}", summary="One silence")
async def get_silence(
    silence: Number, context: UsesContext, connection: UsesConnection, identity: UsesIdentity
) -> SilenceOut:
    """Return one silence, past ones too."""
    return _out(await silencing.get_silence(connection, silence, now=context.now()), identity)


@router.post(
    "/silences/{silence:number}/end",
    responses={409: {"description": "it has ended already"}},
    summary="End a silence now",
)
async def end_silence(
    silence: Number,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> SilenceOut:
    """End a silence, or take back one that has not begun; alerts that still fire are told now."""
    return _out(await silencing.end_silence(connection, silence, by=actor, now=context.now()), identity)


async def _check(connection: Connection, identity: Identity, body: SilenceRequest) -> None:
    """Refuse what would silence alerts where the caller may not do it."""
    permission = Permission.SILENCE_ALERTS
    if body.device is not None:
        await in_town_of_device(connection, identity, permission, body.device)
    if body.municipality is not None:
        in_town(identity, permission, body.municipality, NotFound("municipality", body.municipality))
    elif body.device is None and not identity.may_in(permission, None):
        raise forbidden(permission, "in all municipalities: name one")


def _out(silence: SilenceRecord, identity: Identity) -> SilenceOut:
    named = {n: getattr(silence, n) for n in SilenceOut.model_fields if n != "attribute"}
    attribute = None
    if silence.attribute is not None and silence.value is not None:
        attribute = AttributeValue(name=silence.attribute, value=silence.value)
    shown = SilenceOut(**named, attribute=attribute)
    # One of all municipalities concerns everybody.
    town = silence.municipality
    seen = (
        identity.may(Permission.READ_NAMES) if town is None else identity.may_in(Permission.READ_NAMES, town)
    )
    return shown if seen else shown.model_copy(update={"author": None, "reason": "", "ended_by": None})
