"""Serves the application with uvicorn inside a larger program, which handles signals and logs."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from api.http.connections import BoundedProtocol

DRAIN_S = 5
"""How long running requests may take once the server stops."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        OSError: the address is taken or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


class Server(uvicorn.Server):
    """`await server.serve(sockets=[listen(host, port)])`; set `should_exit` to stop it."""

    def __init__(self, app: FastAPI, around: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> None:
        """Serve an application; `around` may wrap it, to see what passes."""
        config = uvicorn.Config(
            around(app),
            http=BoundedProtocol,
            log_config=None,
            # An access log would contain the token of the sign-in link.
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_S,
            timeout_keep_alive=30,
            limit_concurrency=2000,
        )
        super().__init__(config)
        self._app = app

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the surrounding program."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live streams first: they would keep their connections open."""
        self._app.state.context.live.close()
        await super().shutdown(sockets)
