"""Tokens of programs: list, make, revoke."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import forbidden
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Fields, Limit, Page
from api.http.times import Asked, Instant
from people import tokens
from people.roles import Permission, Role, TokenScope
from people.tokens import NewToken, Token

router = APIRouter(tags=["people"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class TokenIn(BaseModel):
    """A token to make: a role in a municipality (in all without one), or scopes, or both."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=tokens.NAME_LENGTH, examples=["waste office"])
    role: Role | None = None
    municipality: str | None = Field(default=None, max_length=32, examples=["tripoli"])
    scopes: list[TokenScope] = Field(default=[], max_length=10)
    expires_at: Asked | None = Field(default=None, description="null: never")


class TokenOut(BaseModel):
    """What is known of a token."""

    id: int
    name: str = Field(examples=["waste office"])
    role: str | None = Field(examples=["viewer"])
    municipality: str | None = Field(examples=["tripoli"], description="null: in all")
    scopes: list[str]
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None = Field(description="written once a minute at most")
    revoked_at: Instant | None


class NewTokenOut(BaseModel):
    """The token itself; it is shown this once."""

    token: str


@router.get("/tokens", response_model=Page[TokenOut], summary="List tokens in the order they were made")
async def list_tokens(
    request: Request,
    connection: UsesConnection,
    identity: UsesIdentity,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="cursor")] = 0,
    limit: Limit = 100,
    fields: Fields = None,
) -> Response:
    """Return the tokens of where the caller manages tokens, ended ones too."""
    within = identity.towns(Permission.MANAGE_TOKENS)
    found = await tokens.list_tokens(connection, within=within, after=after, limit=limit + 1)
    return pages.answer(
        request, [_out(one) for one in found], limit=limit, cursor=("after", "id"), fields=fields
    )


@router.post("/tokens", status_code=201, summary="Make a token")
async def add_token(
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: TokenIn,
) -> NewTokenOut:
    """Return a new token with rights where the caller manages tokens."""
    if not identity.may_in(Permission.MANAGE_TOKENS, body.municipality):
        raise forbidden(Permission.MANAGE_TOKENS, "there")
    new = NewToken(**body.model_dump())
    return NewTokenOut(token=await tokens.create_token(connection, new, context.real_now(), by=actor))


@router.get("/tokens/{token:number}", summary="One token")
async def get_token(token: Number, connection: UsesConnection) -> TokenOut:
    """Return what is known of a token."""
    return _out(await tokens.get_token(connection, token))


@router.post("/tokens/{token:number}/revoke", summary="End a token")
async def revoke_token(
    token: Number, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> TokenOut:
    """End a token now; requests and streams that carry it end within 10 s."""
    revoked = await tokens.revoke_token(connection, token, context.real_now(), by=actor)
    context.identification.forget()
    return _out(revoked)


def _out(token: Token) -> TokenOut:
    return TokenOut(**{name: getattr(token, name) for name in TokenOut.model_fields})
