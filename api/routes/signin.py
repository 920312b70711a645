"""Signing a browser in with a token: the link that is printed at the first start."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from api import tokens
from api.context import UsesConnection, UsesContext
from api.guards import COOKIE
from api.problems import Problem

router = APIRouter(tags=["sign-in"])

THIRTY_DAYS_S = 30 * 24 * 3600


@router.get("/signin", status_code=303, response_class=RedirectResponse, summary="Sign this browser in")
async def sign_in(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    token: Annotated[str, Query(min_length=1, max_length=200)],
) -> RedirectResponse:
    """Keep the token in a cookie that neither scripts nor other sites get, then show the console."""
    if not await tokens.is_valid(connection, token, context.now()):
        raise Problem(401, "unauthorized", "the token is unknown or has expired")
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=THIRTY_DAYS_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response
