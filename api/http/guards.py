"""Checks of every request before any route gets it: host name, origin, token and size.

Beyond loopback every route but /healthz and signing in needs a token. On loopback the host name must be
loopback's, or a page of another site could call us through a name of its own that resolves to loopback (DNS
rebinding). Must not know what the routes do.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http import problems
from api.http.caller import SAFE_METHODS, body_limit, too_large
from api.http.problems import Problem
from api.http.token_check import TokenCheck

COOKIE = "nabd_session"
OPEN_PATHS = frozenset({"/healthz", "/console/signin.css"})
SIGN_IN = "/signin"
"""Checks the token in the request itself, so it is reachable without one; it reveals nothing else."""
IN_OUTAGES = frozenset({"/metrics", "/readyz"})
"""Needed most while the database is away and no token can be checked: tokens that were valid before pass."""
FORWARDED = frozenset(
    [
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
    ]
)
"""Headers that proxies add. Behind a proxy on this machine every client seems to come from loopback."""


class GuardMiddleware:
    """Answers with a problem where a request may not pass."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        tokens: TokenCheck,
        token_required: bool,
        sign_in_page: bytes,
    ) -> None:
        self.app = app
        self.tokens = tokens
        self.token_required = token_required
        self.sign_in_page = sign_in_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = await self._refusal(scope, headers)
        if problem is not None:
            accept_language = headers.get("accept-language")
            response = problems.render(problem, accept_language=accept_language, instance=scope["path"])
            if problem.status == 401 and "text/html" in headers.get("accept", ""):
                response = HTMLResponse(self.sign_in_page, status_code=401)
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _refusal(self, scope: Scope, headers: Headers) -> Problem | None:
        if not self.token_required and not is_loopback(headers.get("host", "")):
            return Problem(421, "wrong-host", "this server listens on loopback: use 127.0.0.1 or localhost")
        if not self.token_required and any(map(is_forwarding, headers)):
            return Problem(
                421, "wrong-host", "the request comes through a proxy: set NABD_HTTP_TOKEN_ALWAYS=true"
            )
        if scope["method"] not in SAFE_METHODS and not is_same_origin(headers):
            return Problem(403, "foreign-origin", "the request comes from a page of another site")
        if int_or_zero(headers.get("content-length")) > (limit := body_limit(scope)):
            return too_large(limit)
        if self.token_required and scope["path"] not in OPEN_PATHS and scope["path"] != SIGN_IN:
            return await self._token_refusal(scope, headers)
        return None

    async def _token_refusal(self, scope: Scope, headers: Headers) -> Problem | None:
        token = presented_token(headers)
        if token is None:
            detail = "send Authorization: Bearer TOKEN, or open the sign-in link in this browser"
            return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="nabd"'})
        return await self.tokens.refusal(token, address_of(scope), in_outages=scope["path"] in IN_OUTAGES)


def address_of(scope: Scope) -> str:
    """Return where a connection comes from."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def is_loopback(host: str) -> bool:
    """Tell whether a Host header is a loopback name or address."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_forwarding(header: str) -> bool:
    """Tell whether a request header, in lower case, is one that proxies add."""
    return header in FORWARDED or header.startswith("x-forwarded-")


def is_same_origin(headers: Headers) -> bool:
    """Tell whether a change was requested by our own page, or by a program that is no browser."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def presented_token(headers: Headers) -> str | None:
    """Return the bearer token, or the one in the session cookie."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    # Each cookie by itself: another site's broken one on this host must not hide ours.
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)


def int_or_zero(text: str | None) -> int:
    """Return a header's number, 0 where it is none: the size is checked again where the body is read."""
    return int(text) if text and text.isascii() and text.isdigit() else 0
