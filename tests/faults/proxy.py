"""A TCP proxy that is a bad network: slow, chopped, reset, or half open. One broker behind it."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"


@dataclass(slots=True)
class Network:
    """What the network is like now; may be changed while connections live.

    chop: most bytes that travel together. bytes_per_s: speed in each direction, 0 for no limit.
    flowing: cleared, bytes are taken and go nowhere, as behind a dead router.
    """

    chop: int = 65_536
    bytes_per_s: int = 0
    flowing: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Forwards every connection to a port of this machine; `port` is where it listens."""

    def __init__(self, target: int) -> None:
        self.network = Network()
        self.network.flowing.set()
        self.accepted = 0
        self.port = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def open(self) -> int:
        """How many connections of clients are open."""
        return len(self._writers) // 2

    def stall(self) -> None:
        """Let the present connections go silent for ever, as behind a dead router; new ones are fine."""
        self.network.flowing.clear()
        self.network = Network(chop=self.network.chop, bytes_per_s=self.network.bytes_per_s)
        self.network.flowing.set()

    def reset(self) -> None:
        """Break every connection with a RST instead of a goodbye."""
        for writer in list(self._writers):
            sock: socket.socket = writer.get_extra_info("socket")
            if sock.fileno() >= 0:  # not closed by its peer already
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        try:
            there, back = await asyncio.open_connection(HOST, self._target)
        except OSError:
            writer.transport.abort()
            self._tasks.discard(task)
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._forward(reader, back), self._forward(there, writer))
        except asyncio.CancelledError:
            pass  # the proxy is closing; the server's callback would complain of it
        finally:
            self._writers -= {writer, back}
            writer.transport.abort()
            back.transport.abort()
            self._tasks.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        network = self.network
        try:
            while data := await reader.read(network.chop):
                await network.flowing.wait()
                if network.bytes_per_s:
                    await asyncio.sleep(len(data) / network.bytes_per_s)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()
