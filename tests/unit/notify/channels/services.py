"""Real servers on loopback that take messages, and ones that behave badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass
class HttpService:
    """An HTTP server that answers everything with the same bytes, and keeps what it was asked."""

    answer: bytes
    cut_after: int | None = None
    hangs: bool = False
    asked: list[HttpRequest] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *fields = head.strip().split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (one.partition(":") for one in fields)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.asked.append(HttpRequest(line, headers, body))
            if not self.hangs:
                writer.write(self.answer[: self.cut_after])
                await writer.drain()
                writer.close()
            else:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@dataclass
class HttpRequest:
    """What was asked: the first line, headers by name in lower case, and the body."""

    line: str
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def serving(service: HttpService) -> AsyncIterator[HttpService]:
    """Run a service on a free port."""
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of an answer."""
    fields = {"Content_Length": str(len(body)), "Connection": "close", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode() + body
