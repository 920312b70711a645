"""Signing a browser in by a provider (OpenID Connect): there, and back."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, unquote

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.context import POOL_TIMEOUT_S, AppContext, UsesContext
from api.http import guards
from api.http.problems import MEDIA_TYPE, Problem, Slug
from api.oidc.provider import OidcProvider
from api.routes.access.signin import session_of
from devices.storable import storable
from people.oidc import starts
from people.oidc.admission import admit
from people.oidc.claims import OidcRefused, Reason
from people.oidc.starts import OidcStart
from store.audit import PLATFORM, Actor

log = structlog.get_logger(__name__)

router = APIRouter(tags=["sign-in"])

COOKIE = "nabd_oidc"
COOKIE_TO = "nabd_oidc_to"
PATH = "/signin/oidc"
DENIED = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})
AWAY = frozenset({"server_error", "temporarily_unavailable"})
STATUSES: dict[Reason, tuple[int, Slug]] = {
    "away": (503, "unavailable"),
    "group": (403, "forbidden"),
    "disabled": (403, "forbidden"),
}
"""Of the answer; 401 for all others."""
HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}, "description": "signed in"}}
NO_PROVIDER = "no provider is configured: NABD_OIDC_ISSUER"
NOT_CONFIGURED: dict[int | str, dict[str, Any]] = {
    404: {
        "description": NO_PROVIDER,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
Said = Annotated[str, Query(description="as the provider sends it")]
To = Annotated[str, Query(description="the page of the console to go on to", max_length=2300)]


@router.get(
    PATH,
    status_code=303,
    response_class=RedirectResponse,
    responses=NOT_CONFIGURED,
    summary="Sign in at the provider",
)
async def begin(request: Request, context: UsesContext, to: To = "/") -> Response:
    """Send the browser to the provider, with a cookie that says that it was this browser."""
    provider = _provider(context)
    context.identification.refuse_guesser(guards.address_of(request.scope))
    start = OidcStart()
    try:
        address = await provider.address(start, _redirect_uri(request))
        async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
            await starts.keep(connection, start, context.real_now())
    except OidcRefused as refused:
        return _refused(request, context, refused)
    response = RedirectResponse(address, status_code=303)
    age_s = int(starts.GOOD_FOR.total_seconds())
    response.headers.append("set-cookie", _cookie(COOKIE, start.browser, request.url.scheme, age_s))
    response.headers.append("set-cookie", _cookie(COOKIE_TO, quote(to, safe=""), request.url.scheme, age_s))
    return response


@router.get(
    f"{PATH}/callback", response_class=HTMLResponse, responses=HTML, summary="Come back from the provider"
)
async def come_back(
    request: Request,
    context: UsesContext,
    state: Said = "",
    code: Said = "",
    error: Said = "",
    iss: Said = "",
) -> Response:
    """Open a session for whom the provider names, and show the console."""
    provider = _provider(context)
    address = guards.address_of(request.scope)
    context.identification.refuse_guesser(address)
    try:
        person = await _who(request, context, provider, state=state, code=code, error=error, iss=iss)
    except OidcRefused as refused:
        if refused.reason == "state":
            context.identification.count_guess(address)
        return _refused(request, context, refused)
    session = await session_of(request, context, person, "provider")
    response = HTMLResponse(context.sign_in_page.signed_in(_to(request)))
    response.headers.append("set-cookie", guards.cookie_of(session, request.url.scheme))
    _forget(response, request)
    return response


def _forget(response: Response, request: Request) -> None:
    for name in (COOKIE, COOKIE_TO):
        response.headers.append("set-cookie", _cookie(name, "", request.url.scheme, 0))


async def _who(
    request: Request,
    context: AppContext,
    provider: OidcProvider,
    *,
    state: str,
    code: str,
    error: str,
    iss: str,
) -> int:
    """Return the person that comes back.

    Raises:
        OidcRefused: nobody does.
    """
    now = context.real_now()
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        start = await starts.take(connection, state, request.cookies.get(COOKIE, ""), now)
    if error:
        reason: Reason = "denied" if error in DENIED else "away" if error in AWAY else "untrusted"
        raise OidcRefused(reason, f"the provider says {storable(error, 100)}")
    if iss and iss != provider.client.issuer:
        raise OidcRefused("untrusted", f"the answer is from {storable(iss, 200)}")
    # No connection of the pool waits for the provider.
    claims = await provider.claims(code, start, _redirect_uri(request), now / 1e6)
    by = Actor(principal=PLATFORM.principal, address=guards.address_of(request.scope))
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        try:
            return await admit(connection, claims, provider.client.roles, now, by=by)
        finally:
            context.identification.forget()


def _provider(context: AppContext) -> OidcProvider:
    if context.oidc is None:
        raise Problem(404, "not-found", NO_PROVIDER)
    return context.oidc


def _redirect_uri(request: Request) -> str:
    """Return where the provider sends the browser back to: the address that it uses for us."""
    return f"{request.url.scheme}://{request.url.netloc}{PATH}/callback"


def _to(request: Request) -> str:
    """Return where somebody wanted to go when they began."""
    return unquote(request.cookies.get(COOKIE_TO, ""))


def _cookie(name: str, value: str, scheme: str, max_age_s: int) -> str:
    """Return the header of a cookie that must come back; lax, as the provider's page leads here."""
    secure = "; Secure" if scheme == "https" else ""
    return f"{name}={value}; HttpOnly; Max-Age={max_age_s}; Path={PATH}; SameSite=lax{secure}"


def _refused(request: Request, context: AppContext, refused: OidcRefused) -> Response:
    """Show a browser the form with the reason, and a program a problem."""
    log.warning("sign-in by the provider failed", reason=refused.reason, error=storable(str(refused), 500))
    status, slug = STATUSES.get(refused.reason, (401, "unauthorized"))
    if "text/html" not in request.headers.get("accept", ""):
        headers = {"WWW-Authenticate": 'Bearer realm="nabd"'} if status == 401 else {}
        headers |= {"Retry-After": "5"} if status == 503 else {}
        detail = f"sign-in by the provider failed: {refused.reason}"
        raise Problem(status, slug, detail, headers=headers)
    page = context.sign_in_page.refused(_to(request), f"page.oidc_{refused.reason}")
    response = HTMLResponse(page, status_code=status)
    _forget(response, request)
    return response
