"""Where whoever asks is signed in, and how to sign those browsers out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http.times import Instant
from devices.registry.errors import NotFound
from people import recorded, sessions

router = APIRouter(prefix="/session/all", tags=["sign-in"])


class OpenSessionOut(BaseModel):
    """One browser in which the caller is signed in."""

    id: int
    created_at: Instant
    last_used_at: Instant = Field(description="written once a minute at most")
    expires_at: Instant
    address: str = Field(examples=["192.0.2.7"], description="from where it was opened")
    user_agent: str = Field(description="what the browser calls itself")
    this: bool = Field(description="it is the one that asks")


class OpenSessionsOut(BaseModel):
    """The newest first."""

    items: list[OpenSessionOut]


@router.get("", summary="Where am I signed in?")
async def list_own_sessions(
    context: UsesContext, identity: UsesIdentity, connection: UsesConnection
) -> OpenSessionsOut:
    """Return my open sessions."""
    found = await sessions.open_sessions(
        connection, identity.principal, context.real_now(), context.session_limits
    )
    kept = OpenSessionOut.model_fields.keys() - {"this"}
    return OpenSessionsOut(
        items=[
            OpenSessionOut(**{n: getattr(one, n) for n in kept}, this=one.id == identity.session)
            for one in found
        ]
    )


@router.delete("/{session:number}", status_code=204, summary="Sign one of my browsers out")
async def end_own_session(
    session: Annotated[int, Path(ge=1, le=2**63 - 1)],
    context: UsesContext,
    identity: UsesIdentity,
    connection: UsesConnection,
    actor: UsesActor,
) -> None:
    """End one of my sessions, and messages to its browser."""
    async with connection.transaction():
        person, now = identity.principal, context.real_now()
        if not await sessions.end_session(connection, person, session, by=actor, now=now):
            raise NotFound("session", str(session))
        await recorded.record(connection, actor, "sign-out", person, None, None, now)
    context.identification.forget()
