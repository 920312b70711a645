"""Runs the inbox: a mail server and a web server on free ports of loopback, for as long as a context."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from nabd.demo.inbox.services import SMS_BODY, hook_path
from nabd.settings import Settings
from notify.channels.webhook import PREFIX

HOST = "127.0.0.1"
SECRET_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxAddress:
    """Where the inbox listens. listener: bound already, so that its port is known before it serves."""

    listener: socket.socket
    mail_port: int

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return f"http://{HOST}:{self.listener.getsockname()[1]}"

    def hook(self, name: str) -> str:
        """Return the address of somebody's webhook."""
        return f"{self.url}{hook_path(name)}"

    def pointed_at(self, settings: Settings, *, sender: str, public_url: str) -> Settings:
        """Return settings whose channels end here, and no others are there."""
        key = base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        return settings.model_copy(
            update={
                "public_url": public_url,
                "email_server": f"smtp+plain://{HOST}:{self.mail_port}",
                "email_from": sender,
                "ntfy_url": f"{self.url}/ntfy",
                "ntfy_token": "",
                "sms_url": f"{self.url}/sms",
                "sms_method": "POST",
                "sms_headers": {},
                "sms_body": SMS_BODY,
                "sms_success": None,
                "webhook_secret": f"{PREFIX}{key}",
                "webhook_targets": [HOST],
                "telegram_token": "",
                "apprise": {},
                "web_push": False,
            }
        )


def open_listener() -> socket.socket:
    """Return a socket that listens on a free port of loopback."""
    return socket.create_server((HOST, 0))


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the surrounding program."""
        yield


@asynccontextmanager
async def serving_page(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the page and the services."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
