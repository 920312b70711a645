"""Signing a browser in: by name, password and code, by a link that is good once, or with a token.

Only POST signs in: a page of another site, or a program that looks at links ahead, can make a browser GET.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.context import POOL_TIMEOUT_S, AppContext, UsesContext
from api.http import guards
from api.http.identification import Credential
from api.http.problems import Problem
from api.http.sign_in_page import page_or_console
from people import links, recorded, sessions
from people.sign_in import CodeMissing, SignInRefused, sign_in
from store.audit import Actor

router = APIRouter(tags=["sign-in"])

SAID_IN_FORM = {403: "page.code_missing", 429: "page.wait"}
"""Problems that a browser shows above the form, by their status."""
FORM = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string"},
                        "password": {"type": "string"},
                        "code": {"type": "string", "description": "of an app, or a recovery code"},
                        "token": {"type": "string", "description": "instead of the three others"},
                        "link": {"type": "string", "description": "what a link says after link="},
                        "to": {"type": "string", "description": "the page of the console to go on to"},
                    },
                }
            }
        }
    }
}
HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}, "description": "the form"}}
KEPT = b'name="kept"'
"""What the page with the button has in the place of a link or token."""
Secret = Annotated[str | None, Query(min_length=1, max_length=200)]


@router.get("/signin", response_class=HTMLResponse, responses=HTML, summary="The form that signs in")
async def by_address(context: UsesContext, link: Secret = None, token: Secret = None) -> Response:
    """Show a button that signs in by the link or token of the address; without either the form."""
    if link is None and token is None:
        return HTMLResponse(context.sign_in_page.form("/"))
    name, secret = ("link", link) if link is not None else ("token", token)
    kept = f'name="{name}" value="{html.escape(secret or "")}"'
    return HTMLResponse(context.press_page.replace(KEPT, kept.encode()))


@router.post(
    "/signin",
    status_code=303,
    response_class=RedirectResponse,
    openapi_extra=FORM,
    summary="Sign this browser in by the form",
)
async def by_form(request: Request, context: UsesContext) -> Response:
    """Sign in by what the body says, so that no history and no log contains it; then show the console."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    said = {name: form.get(name, [""])[0] for name in ("name", "password", "code", "token", "link", "to")}
    try:
        return await _by(request, context, said)
    except Problem as problem:
        why = SAID_IN_FORM.get(problem.status)
        if why is None or not _is_browser(request):
            raise
        page = context.sign_in_page.refused(said["to"], why)
        return HTMLResponse(page, status_code=problem.status, headers=dict(problem.headers or {}))


async def _by(request: Request, context: AppContext, said: Mapping[str, str]) -> Response:
    if said["link"].strip():
        return await _by_link(request, context, said["link"].strip())
    if said["token"].strip():
        return await _by_token(request, context, said["token"].strip(), said["to"])
    return await _by_password(request, context, said)


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _by_password(request: Request, context: AppContext, said: Mapping[str, str]) -> Response:
    name, address = said["name"].strip().lower(), guards.address_of(request.scope)
    context.identification.refuse_guesser(address, name)
    try:
        async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
            person = await sign_in(
                connection, name, said["password"], said["code"], context.real_now(),
                totp_required=context.totp_required,
            )  # fmt: skip
    except SignInRefused:
        context.identification.count_guess(address, name)
        return _refused(request, context, "name, password or code is wrong", said["to"])
    except CodeMissing:
        detail = "administrators need an app's code here: `nabd user totp NAME` sets it up"
        raise Problem(403, "forbidden", detail) from None
    return _to_console(request, await session_of(request, context, person, "password"), said["to"])


async def _by_link(request: Request, context: AppContext, link: str) -> Response:
    address = guards.address_of(request.scope)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        person = await links.use_link(connection, link, context.real_now())
    if person is None:
        context.identification.refuse_guesser(address)
        context.identification.count_guess(address)
        return _refused(request, context, "the link was used, or is older than ten minutes")
    return _to_console(request, await session_of(request, context, person, "link"))


async def session_of(request: Request, context: AppContext, person: int, by: str) -> str:
    """Open a session and return its id; whatever id the browser had before is good no more.

    Args:
        by: how they signed in, for the audit.
    """
    before = guards.presented(request.headers)
    actor, now = Actor(principal=person, address=guards.address_of(request.scope)), context.real_now()
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection, connection.transaction():
        session = await sessions.open_session(
            connection,
            person,
            now,
            context.session_limits,
            address=actor.address,
            user_agent=request.headers.get("user-agent", ""),
            before=before.secret if before else None,
        )
        await recorded.record(connection, actor, "sign-in", person, None, {"by": by}, now)
    return session


async def _by_token(request: Request, context: AppContext, token: str, to: str) -> Response:
    credential = Credential(secret=token, in_cookie=False)
    try:
        await context.identification.recognise(credential, guards.address_of(request.scope))
    except Problem as problem:
        if problem.status != 401:
            raise
        return _refused(request, context, problem.detail, to)
    return _to_console(request, token, to)


def _to_console(request: Request, secret: str, to: str = "/") -> Response:
    response = RedirectResponse(page_or_console(to), status_code=303)
    response.headers.append("set-cookie", guards.cookie_of(secret, request.url.scheme))
    return response


def _refused(request: Request, context: AppContext, detail: str, to: str = "/") -> Response:
    """Show the form again to a browser, and a problem to a program."""
    if _is_browser(request):
        return HTMLResponse(context.sign_in_page.refused(to), status_code=401)
    challenge = {"WWW-Authenticate": 'Bearer realm="nabd", error="invalid_token"'}
    raise Problem(401, "unauthorized", detail, headers=challenge)
