"""Asks the database again and again what changed, and keeps it in order. Must not know who is told."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

from alerts.events import Cursor
from alerts.overview import changed
from alerts.overview.changed import ALERTS_AT_ONCE, OVERLAP, SHORT_OVERLAP
from api.standards.ngsi_ld.subscriptions.changes import Changes
from store.connection import Connection

SHARE = 0.05
"""Of our time, how much asking which devices changed takes at most; asking further back as much again."""
DEEP_S = 15.0
"""How often that is asked of all that may be committed late, at most."""


class ChangeFollower:
    """What changed since somebody began to follow."""

    def __init__(self) -> None:
        self.changes = Changes()
        self._alerts: Cursor | None = None
        self._next_s = self._deep_s = 0.0

    async def notice(self, connection: Connection, since: datetime) -> None:
        """Notice what changed; since: of interest to nobody is what happened before."""
        if time.monotonic() >= self._next_s:
            await self._devices(connection, since)
        await self._of_alerts(connection, since)

    async def _devices(self, connection: Connection, since: datetime) -> None:
        """Ask which devices changed, the less often the longer that takes."""
        began, newest, settled = time.monotonic(), self.changes.newest, self.changes.settled
        deep = began >= self._deep_s or newest is None or settled is None
        if newest is None or settled is None:
            after = since
        else:
            after = max(settled - OVERLAP if deep else newest - SHORT_OVERLAP, since)
        found = await changed.devices_since(connection, after)
        # In threads, one after the other: of tens of thousands of devices others would wait for it.
        await asyncio.to_thread(self.changes.note_devices, found, after, settles=deep)
        now = time.monotonic()
        pause = (now - began) / SHARE
        if deep and self.changes.newest is not None:
            self._deep_s = now + max(pause, DEEP_S)
        else:
            self._next_s = now + pause

    async def _of_alerts(self, connection: Connection, since: datetime) -> None:
        if self._alerts is None:
            self._alerts = await changed.cursor_at(connection, since)
        while True:
            alerts = await changed.alerts_after(connection, self._alerts)
            self.changes.note_alerts(alerts)
            if alerts:
                self._alerts = alerts[-1].cursor
            if len(alerts) < ALERTS_AT_ONCE:
                return
