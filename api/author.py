"""Who makes a request's change, and from where: the token's principal; where no token is needed, LOCAL's."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.context import UsesConnection, UsesContext
from api.http import guards, tokens
from store import principals
from store.audit import Actor

LOCAL = "operator"
"""The name shown on an installation that requires no token."""


async def actor(request: Request, context: UsesContext, connection: UsesConnection) -> Actor:
    """Return the principal of the request's token, LOCAL's where it has none."""
    token = guards.presented_token(request.headers)
    name = await tokens.name_of(connection, token, context.now()) if token else None
    principal = await principals.named(connection, "token", name or LOCAL)
    return Actor(principal=principal, address=guards.address_of(request.scope))


UsesActor = Annotated[Actor, Depends(actor)]
