"""Takes what channels hand over by HTTP, as a ntfy server, an SMS gateway and a webhook would.

Only as far as Nabd needs them. A browser cannot use them: what comes with an Origin is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nabd.demo.inbox.messages import Inbox

LARGEST = 1_000_000
"""Bytes of one message."""
SMS_BODY = "to={to}&text={text}&id={id}"
"""What the gateway is sent, as NABD_SMS_BODY says it."""


class _Publication(msgspec.Struct):
    topic: str
    title: str = ""
    message: str = ""
    click: str | None = None


class _HookData(msgspec.Struct):
    subject: str = ""
    text: str = ""
    answer_url: str | None = None


class _Hook(msgspec.Struct):
    data: _HookData


class InboxServices:
    """The addresses that channels are pointed at."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.routes = [
            Route("/ntfy", self._ntfy, methods=["POST"]),
            Route("/sms", self._sms, methods=["POST"]),
            Route("/webhook/{name}", self._webhook, methods=["POST"]),
        ]

    async def _ntfy(self, request: Request) -> Response:
        if (body := await _body(request)) is None:
            return Response(status_code=403)
        try:
            said = msgspec.json.decode(body, type=_Publication)
        except msgspec.DecodeError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        self._inbox.catch("ntfy", said.topic, said.title, said.message, url=said.click)
        return JSONResponse({"event": "message", "topic": said.topic})

    async def _sms(self, request: Request) -> Response:
        if (body := await _body(request)) is None:
            return Response(status_code=403)
        said = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        self._inbox.catch("sms", said.get("to", ""), "", said.get("text", ""))
        return JSONResponse({"taken": True})

    async def _webhook(self, request: Request) -> Response:
        if (body := await _body(request)) is None:
            return Response(status_code=403)
        try:
            said = msgspec.json.decode(body, type=_Hook).data
        except msgspec.DecodeError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        to = hook_path(request.path_params["name"])
        self._inbox.catch("webhook", to, said.subject, said.text, url=said.answer_url)
        return JSONResponse({"taken": True})


def hook_path(name: str) -> str:
    """Return the path of somebody's webhook."""
    return f"/webhook/{name}"


async def _body(request: Request) -> bytes | None:
    """Return what was sent; None where a browser sent it, or too much was."""
    headers: Mapping[str, str] = request.headers
    if "origin" in headers or int(headers.get("content-length") or 0) > LARGEST:
        return None
    body = await request.body()
    return body if len(body) <= LARGEST else None
