"""Who a request's change is recorded for: the token's name, or where no token is needed, LOCAL."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.context import UsesConnection, UsesContext
from api.http import guards, tokens

LOCAL = "operator"
"""The author on an installation that requires no token."""


async def author(request: Request, context: UsesContext, connection: UsesConnection) -> str:
    """Return the name of the request's token, LOCAL where it has none."""
    token = guards.presented_token(request.headers)
    name = await tokens.name_of(connection, token, context.now()) if token else None
    return name or LOCAL


UsesAuthor = Annotated[str, Depends(author)]
