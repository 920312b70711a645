"""Whoever asks, about themselves: who they are, sign out, password, the app that shows codes."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import POOL_TIMEOUT_S, AppContext, UsesConnection, UsesContext, UsesIdentity
from api.http import guards
from api.http.problems import Problem
from devices.registry.errors import Invalid
from people import editing, recorded, sessions, totp
from people.identity import to_text
from people.person import Person, person_of
from people.roles import Permission
from people.sign_in import SignInRefused, drop_totp, set_totp, sign_in

router = APIRouter(tags=["sign-in"])


class SessionOut(BaseModel):
    """Who the request is from."""

    kind: Literal["person", "token"]
    name: str = Field(examples=["Rima"], description="as shown to others")
    user: str | None = Field(examples=["rima"], description="the person's name, null for a token")
    language: str | None = Field(examples=["ar"], description="the person's, null for a token")
    roles: list[str] = Field(examples=[["operator@tripoli"]], description="without @ in all municipalities")
    permissions: list[str] = Field(examples=[["read", "answer-alerts"]], description="somewhere at least")
    everywhere: list[str] = Field(examples=[["read"]], description="of these, those in all municipalities")


class NewPassword(BaseModel):
    """The password of now and the next one."""

    model_config = ConfigDict(extra="forbid")

    old: str = Field(max_length=200)
    new: str = Field(max_length=200)
    code: str = Field(default="", max_length=40, description="of the app, where there is one")


class TotpOffer(BaseModel):
    """A secret for an app; it is not asked for until a code of it was sent back."""

    secret: str
    address: str = Field(description="the same as otpauth://, for a QR code")


class TotpProof(BaseModel):
    """The secret that an app was given, the code it shows, and the person's password."""

    model_config = ConfigDict(extra="forbid")

    secret: str = Field(max_length=200)
    code: str = Field(max_length=40)
    password: str = Field(max_length=200)


class PasswordProof(BaseModel):
    """The password and a code, as proof that it is the person and not who found the browser open."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(max_length=200)
    code: str = Field(default="", max_length=40, description="of the app, or a recovery code")


class RecoveryCodesOut(BaseModel):
    """What to sign in with once each where the app is lost; shown once."""

    recovery_codes: list[str]


@router.get("/session", summary="Who am I?")
async def get_session(identity: UsesIdentity, connection: UsesConnection) -> SessionOut:
    """Return who the request is from and what they may do."""
    person = await person_of(connection, identity.principal) if identity.kind == "person" else None
    return SessionOut(
        kind=identity.kind,
        name=identity.name,
        user=person.name if person else None,
        language=person.language if person else None,
        roles=sorted(map(to_text, identity.grants)) + sorted(identity.scopes),
        permissions=[p.value for p in Permission if identity.may(p)],
        everywhere=[p.value for p in Permission if identity.may_in(p, None)],
    )


@router.delete("/session", status_code=204, summary="Sign this browser out")
async def end_session(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    connection: UsesConnection,
    actor: UsesActor,
) -> Response:
    """End the session, and take the cookie away; a token stays good."""
    if identity.session is not None:
        async with connection.transaction():
            person, now = identity.principal, context.real_now()
            await sessions.end_session(connection, person, identity.session, by=actor, now=now)
            await recorded.record(connection, actor, "sign-out", person, None, None, now)
        context.identification.forget()
    response = Response(status_code=204)
    response.headers.append("set-cookie", guards.cookie_of("", request.url.scheme, max_age_s=0))
    return response


@router.post("/session/password", status_code=204, summary="Change my password")
async def change_password(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    actor: UsesActor,
    body: NewPassword,
) -> None:
    """Change the password; every other session ends. Without a password an administrator sets the first."""
    address = guards.address_of(request.scope)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        person = await person_of(connection, identity.principal)
        await _prove(context, connection, person, ("old", body.old), body.code, address)
        await editing.set_password(
            connection, person, body.new, context.real_now(), by=actor, keep=identity.session
        )
    context.identification.forget()


async def _prove(
    context: AppContext,
    connection: UsesConnection,
    person: Person,
    password: tuple[str, str],
    code: str,
    address: str,
) -> None:
    """Refuse a change by somebody who only found the browser open."""
    context.identification.refuse_guesser(address, person.name)
    field, said = password
    try:
        await sign_in(connection, person.name, said, code, context.real_now(), totp_required=False)
    except SignInRefused:
        context.identification.count_guess(address, person.name)
        raise Invalid(field, "password or code is wrong") from None


@router.post("/session/totp", summary="Get a secret for an app")
async def offer_totp(identity: UsesIdentity, connection: UsesConnection) -> TotpOffer:
    """Return a new secret; nothing changes until a code of it is sent back."""
    person = await person_of(connection, identity.principal)
    secret = totp.new_secret()
    return TotpOffer(secret=secret, address=totp.address_of(secret, person.name))


@router.put("/session/totp", summary="Ask me for an app's codes from now on")
async def put_totp(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    connection: UsesConnection,
    actor: UsesActor,
    body: TotpProof,
) -> RecoveryCodesOut:
    """Take the secret once a code proves that the app has it; return recovery codes.

    The password proves that it is the person: who has none is helped by `nabd user totp`.
    """
    person = await person_of(connection, identity.principal)
    if person.has_totp:
        raise Problem(409, "conflict", "there is an app already: take it away first")
    address = guards.address_of(request.scope)
    await _prove(context, connection, person, ("password", body.password), "", address)
    codes = await set_totp(connection, person, body.secret, body.code, context.real_now(), by=actor)
    return RecoveryCodesOut(recovery_codes=codes)


@router.delete("/session/totp", status_code=204, summary="Ask me for no codes any more")
async def take_totp_away(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    connection: UsesConnection,
    actor: UsesActor,
    body: PasswordProof,
) -> None:
    """Sign in without an app's codes from now on, where that is allowed."""
    person = await person_of(connection, identity.principal)
    address = guards.address_of(request.scope)
    await _prove(context, connection, person, ("password", body.password), body.code, address)
    await drop_totp(connection, person, context.real_now(), by=actor, totp_required=context.totp_required)
