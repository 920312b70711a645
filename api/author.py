"""In whose name a request changes something: the token's, and where none is needed, the operator's."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.context import UsesConnection, UsesContext
from api.http import guards, tokens

LOCAL = "operator"
"""Whoever works on an installation that asks for no token."""


async def author(request: Request, context: UsesContext, connection: UsesConnection) -> str:
    """Return the name of the request's token, LOCAL where it bears none."""
    token = guards.presented_token(request.headers)
    name = await tokens.name_of(connection, token, context.now()) if token else None
    return name or LOCAL


UsesAuthor = Annotated[str, Depends(author)]
