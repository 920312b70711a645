"""Signing a browser in with a token: by the link that is printed at the first start, or by the form."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.context import AppContext, UsesContext
from api.http import guards
from api.http.guards import COOKIE

router = APIRouter(tags=["sign-in"])

THIRTY_DAYS_S = 30 * 24 * 3600
FORM = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": {"token": {"type": "string"}}}
            }
        }
    }
}


@router.get("/signin", status_code=303, response_class=RedirectResponse, summary="Sign this browser in")
async def sign_in(
    request: Request,
    context: UsesContext,
    token: Annotated[str, Query(min_length=1, max_length=200)],
) -> Response:
    """Keep the token in a cookie that neither scripts nor other sites get, then show the console."""
    return await _signed_in(request, context, token)


@router.post(
    "/signin",
    status_code=303,
    response_class=RedirectResponse,
    openapi_extra=FORM,
    summary="Sign this browser in by the form",
)
async def sign_in_by_form(request: Request, context: UsesContext) -> Response:
    """Do the same with the token in the body, so that no history and no log contains it."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    return await _signed_in(request, context, form.get("token", [""])[0].strip())


async def _signed_in(request: Request, context: AppContext, token: str) -> Response:
    refusal = await context.tokens.refusal(token, guards.address_of(request.scope))
    if refusal is not None:
        if refusal.status == 401 and "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(context.sign_in_page.replace(b" hidden>", b">"), status_code=401)
        raise refusal
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
