"""The application behind a real server, on a free port."""

from __future__ import annotations

import asyncio
import socket

from fastapi import FastAPI

from api.http.server import Server, listen


class serving:  # noqa: N801 - reads as a verb where it is used
    """Serve an application on a free port as long as the block runs; the value is its address."""

    def __init__(self, app: FastAPI, port: int = 0) -> None:
        self.server = Server(app)
        self.socket: socket.socket = listen("127.0.0.1", port)
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> str:
        self.task = asyncio.create_task(self.server.serve(sockets=[self.socket]))
        async with asyncio.timeout(20):
            while not self.server.started:
                await asyncio.sleep(0.01)
                if self.task.done():
                    self.task.result()
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        assert self.task is not None
        await asyncio.wait_for(self.task, 20)
        self.socket.close()
