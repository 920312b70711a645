"""Between the server and the routes: a request's whole body first, and an end when the caller leaves.

No route waits for bytes, so no route holds a database connection while a body does not come. Must not know
what the routes do.
"""

from __future__ import annotations

import asyncio
import json
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import problems
from api.http.problems import Problem
from devices.acceptable import fault
from devices.nesting import MAX_DEPTH, is_too_deep

BODY_LIMIT = 256 * 1024
LARGE_BODY_LIMIT = 8 * 1024 * 1024
PHOTOS = re.compile(r"POST /api/v1/work-orders/[^/]+/photos")
"""What brings bytes that no parser of text reads."""
WAYS_IN = re.compile(r"POST /api/v1/(telemetry|webhooks/[^/]+)")
"""What brings readings in many formats, of which each judges its own bytes: a bad element harms itself."""
LARGE_BODIES = re.compile(
    r"PUT /api/v1/municipalities/[^/]+/layers/[^/]+|POST /api/v2/alerts|POST /api/v1/devices/import|"
    + PHOTOS.pattern
)
"""What brings maps and lists of devices, photos, and many alerts of other systems at once."""
BODY_S, PHOTO_S = 10.0, 60.0
"""How long a body may take to arrive, all of it; and a photo, from a phone somewhere in the town."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CallerLeft(Exception):
    """The caller hung up before its request was complete."""


class CallerMiddleware:
    """Gives the application complete requests, and cancels reading work nobody waits for any more.

    A change that has begun is carried through although its caller has left.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            is_photo = PHOTOS.fullmatch(_route(scope)) is not None
            body = await self._body(headers, receive, body_limit(scope), PHOTO_S if is_photo else BODY_S)
            media_type = headers.get("content-type", "")
            if is_photo or WAYS_IN.fullmatch(_route(scope)):
                pass  # no text, which might nest, or judged by who reads it
            elif len(body) > BODY_LIMIT:
                # Long enough to hold up everybody else.
                await asyncio.to_thread(_check, body, media_type)
            else:
                _check(body, media_type)
        except CallerLeft:
            return
        except Problem as problem:
            language = headers.get("accept-language")
            response = problems.render(problem, accept_language=language, instance=scope["path"])
            await response(scope, receive, send)
            return
        await _watched(self.app, scope, body, receive, send)

    async def _body(self, headers: Headers, receive: Receive, limit: int, longest_s: float) -> bytes:
        if "content-length" not in headers and "transfer-encoding" not in headers:
            return b""
        body = bytearray()
        try:
            async with asyncio.timeout(longest_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise CallerLeft
                    body += message.get("body", b"")
                    if len(body) > limit:
                        raise too_large(limit)
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            detail = f"the body did not arrive within {longest_s:g} s"
            raise Problem(408, "timeout", detail, headers={"Connection": "close"}) from None


def _check(body: bytes, media_type: str) -> None:
    """Refuse a body that nests too deeply for any parser, or JSON that holds what nobody can keep.

    Raises:
        Problem: with the pointer of the part at fault.
    """
    if is_too_deep(body):
        detail = f"the body nests deeper than {MAX_DEPTH} levels"
        # Of JSON no parser here reads it; the text of a rule is read, and refused with its mistakes.
        raise Problem(400, "bad-request", detail) if "json" in media_type else Problem(422, "invalid", detail)
    if not body or "json" not in media_type:
        return
    try:
        found = fault(json.loads(body))
    except ValueError:
        return  # told by whoever reads it
    if found is not None:
        pointer, reason = found
        violation = {"pointer": f"#{pointer}", "detail": reason}
        raise Problem(422, "invalid", f"{pointer or 'the body'}: {reason}", errors=[violation])


def body_limit(scope: Scope) -> int:
    """Return how many bytes a request's body may have."""
    return LARGE_BODY_LIMIT if LARGE_BODIES.fullmatch(_route(scope)) else BODY_LIMIT


def _route(scope: Scope) -> str:
    return f"{scope['method']} {scope['path']}"


def too_large(limit: int) -> Problem:
    """Return the problem of a body over the limit; what is left of it is not read."""
    return Problem(413, "too-large", f"a body has at most {limit} bytes", headers={"Connection": "close"})


async def _watched(app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
    """Run the application; once the caller has left, it is told, and cancelled where it only reads."""
    left = asyncio.Event()
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def run() -> None:
        await app(scope, receive_again, send)

    work = asyncio.create_task(run())
    watching = asyncio.create_task(_until_left(receive, left))
    try:
        await asyncio.wait({work, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and scope["method"] in SAFE_METHODS:
            work.cancel()
            await asyncio.wait({work})
        if work.cancelled() and left.is_set():
            return
        await work
    finally:
        watching.cancel()
        work.cancel()


async def _until_left(receive: Receive, left: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    left.set()
