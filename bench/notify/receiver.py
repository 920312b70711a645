"""A small HTTP server that takes webhooks, and notes of each its id, when it came and what it is about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """One webhook as it arrived. at: seconds of time.time(); path: the receiver's; alerts: numbers."""

    id: str
    path: str
    occasion: str
    alerts: tuple[int, ...]
    at: float


@dataclass(slots=True, kw_only=True)
class WebhookReceiver:
    """What has arrived so far. answer_after_s: how long each answer takes."""

    port: int
    received: list[ReceivedMessage] = field(default_factory=list)
    answer_after_s: float = 0.0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self._note(line.split(" ")[1], headers, body)
                if self.answer_after_s:
                    await asyncio.sleep(self.answer_after_s)
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _note(self, path: str, headers: dict[str, str], body: bytes) -> None:
        said = msgspec.json.decode(body)
        self.received.append(
            ReceivedMessage(
                id=headers["webhook-id"],
                path=path,
                occasion=str(said["type"]).removeprefix("alert."),
                alerts=tuple(one["id"] for one in said["data"]["alerts"]),
                at=time.time(),
            )
        )


@asynccontextmanager
async def receiving(*, answer_after_s: float = 0.0) -> AsyncIterator[WebhookReceiver]:
    """Receive on a free port of loopback while the block runs."""
    receiver = WebhookReceiver(port=0, answer_after_s=answer_after_s)
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0, limit=4 * 1024 * 1024)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
