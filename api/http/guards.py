"""Checks of every request before any route gets it: host name, origin, size, who it is from, and how often.

Every path but OPEN_PATHS needs an identity, on loopback too. There the host name must be loopback's, or a
page of another site could call us through a name of its own that resolves to loopback (DNS rebinding).
Must not know what the routes do, nor who may do what.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import problems
from api.http.caller import SAFE_METHODS, body_limit, too_large
from api.http.identification import Credential, Identification
from api.http.parameters import API
from api.http.problems import Problem, Told
from api.http.sign_in_page import SignInPage
from people import throttle
from people.request_limits import WINDOW_S, RequestLimit, RequestQuota

COOKIE = "nabd_session"
IDENTITY = "nabd.identity"
"""Where a request's scope says who it is from."""
OPEN_PATHS = frozenset(
    {
        "/healthz",
        "/signin",
        "/signin/oidc",
        "/signin/oidc/callback",
        "/trust",
        "/trust/authority.crt",
        "/console/signin.css",
        # What an installed console needs is fetched without a cookie; it says nothing of the town.
        "/sw.js",
        "/manifest.webmanifest",
        "/console/icons/192.png",
        "/console/icons/512.png",
        "/console/icons/512-maskable.png",
        "/ngsi-ld/v1/context.jsonld",
        "/open-data",
        "/open-data/catalogue.jsonld",
        "/open-data/{municipality}/{kind}.csv",
        "/open-data/{municipality}/{kind}.geojson",
        "/open-data/{municipality}/{kind}.parquet",
        "/answer/{token}",
        "/firmware/{sha256}",
        "/api/v1/telemetry",
        "/api/v1/webhooks/{source}",
    }
)
"""All that answers without an identity. Signing in, and a link, judge what the request itself shows."""
FIRMWARE = "/firmware/"
"""What devices fetch; here and where they post readings they show a password of their own to the route."""
OPEN_DATA = "/open-data/"
"""What municipalities publish."""
WEBHOOKS = "/api/v1/webhooks/"
"""Where platforms post, which show the secret of their source."""
ANSWERS = "/answer/"
"""Where signed links lead. Who has one may use it from anywhere: it is the secret, no cookie counts."""
TOLD = {"token": "requests.token_busy", "address": "requests.address_busy"}
LONGEST_COOKIE_S = 400 * 86_400
"""As long as browsers keep one; the session behind it ends earlier."""
IN_OUTAGES = frozenset({"/metrics", "/readyz", "/api/v1/system"})
"""Needed most while the database is away and nobody can be asked about: who was known before passes."""
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
    """Answers with a problem where a request may not pass; others carry who they are from."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        identification: Identification,
        beyond_loopback: bool,
        sign_in_page: SignInPage,
        request_quota: RequestQuota,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self._limits = {
            named: RequestLimit(most)
            for named, most in (("address", request_quota.address), ("token", request_quota.token))
            if most
        }
        self._elapsed_s = elapsed_s
        self.identification = identification
        self.beyond_loopback = beyond_loopback
        self.sign_in_page = sign_in_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check(scope, headers)
            if not is_own_machine(address := address_of(scope)):
                send = self._counted("address", throttle.of_address(address), scope, send)
            if not is_open(scope["path"]):
                send = await self._identified(scope, headers, send)
        except Problem as problem:
            accept_language = headers.get("accept-language")
            response = problems.render(problem, accept_language=accept_language, instance=scope["path"])
            if problem.status == 401 and "text/html" in headers.get("accept", ""):
                response = HTMLResponse(self.sign_in_page.form(asked(scope)), status_code=401)
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Refuse what nobody may send.

        Raises:
            Problem: why.
        """
        if not self.beyond_loopback and not is_loopback(headers.get("host", "")):
            raise Problem(421, "wrong-host", "this server listens on loopback: use 127.0.0.1 or localhost")
        if not self.beyond_loopback and any(map(is_forwarding, headers)):
            raise Problem(
                421, "wrong-host", "the request comes through a proxy: set NABD_HTTP_TOKEN_ALWAYS=true"
            )
        judged = scope["method"] not in SAFE_METHODS and not scope["path"].startswith(ANSWERS)
        if judged and not is_same_origin(headers):
            raise Problem(403, "foreign-origin", "the request comes from a page of another site")
        if int_or_zero(headers.get("content-length")) > (limit := body_limit(scope)):
            raise too_large(limit)

    async def _identified(self, scope: Scope, headers: Headers, send: Send) -> Send:
        """Note who the request is from; return how its answer is sent.

        Raises:
            Problem: nobody can tell.
        """
        credential = presented(headers)
        if credential is None:
            detail = "send Authorization: Bearer TOKEN, or sign this browser in"
            raise Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="nabd"'})
        found = await self.identification.recognise(
            credential,
            address_of(scope),
            rotate=scope["method"] in SAFE_METHODS,
            in_outages=scope["path"] in IN_OUTAGES,
        )
        scope[IDENTITY] = found.identity
        who = found.identity
        send = self._counted("token", f"{who.kind} {who.session or who.principal}", scope, send)
        if found.fresh_id is None:
            return send
        return _with_fields(send, {"Set-Cookie": cookie_of(found.fresh_id, scope["scheme"])})

    def _counted(self, named: str, key: str, scope: Scope, send: Send) -> Send:
        """Count a request of the API; return how its answer is sent, with what the caller has left.

        Raises:
            Problem: it is one too many.
        """
        limit = self._limits.get(named)
        if limit is None or not scope["path"].startswith(API):
            return send
        left = limit.take(key, self._elapsed_s())
        fields = {
            "RateLimit-Policy": f'"{named}";q={left.most};w={WINDOW_S:.0f}',
            "RateLimit": f'"{named}";r={left.requests};t={left.again_s}',
        }
        if left.wait_s:
            told = {"most": str(left.most), "seconds": str(left.wait_s)}
            raise Problem(
                429,
                "too-many-requests",
                f"more than {left.most} requests a minute of one {named}: wait {left.wait_s} s",
                headers={**fields, "Retry-After": str(left.wait_s)},
                told=Told(key=TOLD[named], values=told),
            )
        return _with_fields(send, fields)


def _with_fields(send: Send, fields: Mapping[str, str]) -> Send:
    async def send_with_fields(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in fields.items():
                headers.append(name, value)
        await send(message)

    return send_with_fields


def cookie_of(secret: str, scheme: str, max_age_s: int | None = LONGEST_COOKIE_S) -> str:
    """Return the header that keeps a session's id in a browser, where no script and no other site gets it."""
    secure = "; Secure" if scheme == "https" else ""
    return f"{COOKIE}={secret}; HttpOnly; Max-Age={max_age_s}; Path=/; SameSite=strict{secure}"


def asked(scope: Scope) -> str:
    """Return the path and the query of a request, as they were sent."""
    path, query = (
        scope.get("raw_path", b"/").decode("ascii", "replace"),
        scope["query_string"].decode("ascii", "replace"),
    )
    return f"{path}?{query}" if query else path


def is_open(path: str) -> bool:
    """Tell whether a path answers without an identity."""
    return path in OPEN_PATHS or path.startswith((ANSWERS, FIRMWARE, OPEN_DATA, WEBHOOKS))


def address_of(scope: Scope) -> str:
    """Return where a connection comes from."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def is_own_machine(address: str) -> bool:
    """Tell whether an address is loopback's: there a proxy speaks for everybody, or a program of ours."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True


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


def presented(headers: Headers) -> Credential | None:
    """Return the bearer token, or what is in the session cookie."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return Credential(secret=token.strip(), in_cookie=False)
    # Each cookie by itself: another site's broken one on this host must not hide ours.
    kept = cookie_parser(headers.get("cookie", "")).get(COOKIE)
    return Credential(secret=kept, in_cookie=True) if kept else None


def int_or_zero(text: str | None) -> int:
    """Return a header's number, 0 where it is none: the size is checked again where the body is read."""
    return int(text) if text and text.isascii() and text.isdigit() else 0
