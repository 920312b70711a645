"""Checks of every request before any route gets it: host name, origin, token and size.

Beyond loopback every route but /healthz and signing in needs a token. On loopback the host name must be
loopback's, or a page of another site could call us through a name of its own that resolves to loopback (DNS
rebinding). Must not know what the routes do.
"""

from __future__ import annotations

import ipaddress
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import problems, tokens
from api.http.handlers import of_database
from api.http.problems import Problem
from store.failures import DATABASE_ERRORS

if TYPE_CHECKING:
    import asyncpg

    from devices.instants import Now

COOKIE = "nabd_session"
OPEN_PATHS = frozenset({"/healthz", "/console/signin.css"})
SIGN_IN = "/signin"
"""Checks the token in the request itself, so it is reachable without one; it reveals nothing else."""
IN_OUTAGES = frozenset({"/metrics", "/readyz"})
"""Needed most while the database is away and no token can be checked: tokens that were valid before pass."""
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""Headers that proxies add. Behind a proxy on this machine every client seems to come from loopback."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_LIMIT = 256 * 1024


class GuardMiddleware:
    """Answers with a problem where a request may not pass."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        pool: asyncpg.Pool[asyncpg.Record],
        now: Now,
        token_required: bool,
        sign_in_page: bytes,
    ) -> None:
        self.app = app
        self.pool = pool
        self.now = now
        self.token_required = token_required
        self.sign_in_page = sign_in_page
        self._good: set[bytes] = set()

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
        await self.app(scope, _limited(receive), send)

    async def _refusal(self, scope: Scope, headers: Headers) -> Problem | None:
        if not self.token_required and not is_loopback(headers.get("host", "")):
            return Problem(421, "wrong-host", "this server listens on loopback: use 127.0.0.1 or localhost")
        if not self.token_required and any(name in headers for name in FORWARDED):
            return Problem(
                421, "wrong-host", "the request comes through a proxy: set NABD_HTTP_TOKEN_ALWAYS=true"
            )
        if scope["method"] not in SAFE_METHODS and not is_same_origin(headers):
            return Problem(403, "foreign-origin", "the request comes from a page of another site")
        if int_or_zero(headers.get("content-length")) > BODY_LIMIT:
            return Problem(413, "too-large", f"a body has at most {BODY_LIMIT} bytes")
        if self.token_required and scope["path"] not in OPEN_PATHS and scope["path"] != SIGN_IN:
            return await self._token_refusal(scope["path"], headers)
        return None

    async def _token_refusal(self, path: str, headers: Headers) -> Problem | None:
        token = presented_token(headers)
        if token is None:
            detail = "send Authorization: Bearer TOKEN, or open the sign-in link in this browser"
            return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="nabd"'})
        try:
            async with self.pool.acquire(timeout=5.0) as connection:
                if await tokens.is_valid(connection, token, self.now()):
                    self._good.add(tokens.digest(token))
                    return None
        except DATABASE_ERRORS as error:  # the application's handlers do not apply to middleware
            outage = of_database(error)
            known = path in IN_OUTAGES and tokens.digest(token) in self._good
            return None if known else outage
        self._good.discard(tokens.digest(token))
        challenge = {"WWW-Authenticate": 'Bearer realm="nabd", error="invalid_token"'}
        return Problem(401, "unauthorized", "the token is unknown or has expired", headers=challenge)


def is_loopback(host: str) -> bool:
    """Tell whether a Host header is a loopback name or address."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


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
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None


def int_or_zero(text: str | None) -> int:
    """Return a header's number, 0 where it is none: the size is checked again where the body is read."""
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _limited(receive: Receive) -> Receive:
    size = 0

    async def receive_limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_LIMIT:
            raise HTTPException(413, f"a body has at most {BODY_LIMIT} bytes")
        return message

    return receive_limited
