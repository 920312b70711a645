"""How connections are kept: bounded in number, and never idle for long without a request.

uvicorn closes a connection that is idle after an answer; not one that never asked, or that sends its head a
byte at a time. Must not know what is asked for.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0
"""How long a request's head may take to arrive."""
MOST = 1000
"""Connections; beyond it the one that has waited longest without a request is closed."""


class BoundedProtocol(H11Protocol):
    """One connection; it ends when no request has come within HEAD_S of its beginning or of a first byte."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._head_due: asyncio.TimerHandle | None = None
        self._waiting_since = 0.0

    @property
    def is_waiting(self) -> bool:
        """Tell whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waiting_since = self.loop.time()
        self._expect_head()
        if len(self.connections) > MOST:
            self._close_longest_waiting()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.is_waiting:
            self._forget_head()
        elif self._head_due is None:
            self._expect_head()

    def on_response_complete(self) -> None:
        self._waiting_since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head_due = self.loop.call_later(HEAD_S, self._give_up)

    def _forget_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _give_up(self) -> None:
        self._head_due = None
        if self.is_waiting and not self.transport.is_closing():
            self.transport.abort()

    def _close_longest_waiting(self) -> None:
        waiting = [c for c in self.connections if isinstance(c, BoundedProtocol) and c.is_waiting]
        oldest = min(waiting, key=lambda c: c._waiting_since, default=None)
        if oldest is not None:
            oldest.transport.abort()
