"""What waits for one client of the live stream, bounded even where the client does not read.

Alert events queue up to a limit; beyond it they are dropped and counted, and the client gets the count.
Newest readings are coalesced: only the last one of each device waits; commands as well, each as it stands.
Pure but for waking its reader; must not know HTTP or the database.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from alerts.events import Cursor
from alerts.transition import Severity
from api.schemas.alerts import AlertEventOut, AlertOut
from api.schemas.commands import CommandOut
from api.schemas.latest import LatestOut

QUEUE_LIMIT = 256
COMMANDS_LIMIT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAlert:
    """One event with the present alert."""

    cursor: Cursor
    event: AlertEventOut
    alert: AlertOut


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What a client wants, and in which municipalities it may see it; None means everything."""

    kind: str | None = None
    municipality: str | None = None
    district: str | None = None
    municipalities: frozenset[str] | None = None
    severities: frozenset[Severity] | None = None

    def in_alert(self, live: LiveAlert) -> bool:
        """Tell whether an alert event is wanted."""
        return self._in(live.alert) and (self.severities is None or live.event.severity in self.severities)

    def in_latest(self, latest: LatestOut) -> bool:
        """Tell whether a newest reading is wanted."""
        return self._in(latest)

    def in_command(self, command: CommandOut) -> bool:
        """Tell whether a command is wanted; which district its device stands in is not known here."""
        return self.district is None and self._in_town(command)

    def _in(self, one: AlertOut | LatestOut) -> bool:
        return self.district in (None, one.district) and self._in_town(one)

    def _in_town(self, one: AlertOut | LatestOut | CommandOut) -> bool:
        return (
            self.kind in (None, one.kind)
            and self.municipality in (None, one.municipality)
            and (self.municipalities is None or one.municipality in self.municipalities)
        )


@dataclass(slots=True, kw_only=True)
class PendingEvents:
    """What the client gets at once; `missed`: alert events and commands that were dropped before these."""

    missed: int = 0
    alerts: list[LiveAlert] = field(default_factory=list)
    latest: list[LatestOut] = field(default_factory=list)
    commands: list[CommandOut] = field(default_factory=list)


class Subscription:
    """One client. `offer_*` never waits; `wait` returns all there is as soon as there is something."""

    def __init__(self, interest: EventFilter, limit: int = QUEUE_LIMIT) -> None:
        self.interest = interest
        self.closed = False
        self._limit = limit
        self._alerts: deque[LiveAlert] = deque()
        self._latest: dict[str, LatestOut] = {}
        self._commands: dict[UUID, CommandOut] = {}
        self._missed = 0
        self._wake = asyncio.Event()

    def offer_alert(self, live: LiveAlert) -> int:
        """Queue an event; return how many were dropped for it: a full queue is emptied."""
        if not self.interest.in_alert(live):
            return 0
        dropped = 0
        if len(self._alerts) >= self._limit:
            # A client that is so late must read the list again anyway; half a queue would only delay that.
            dropped = len(self._alerts)
            self._missed += dropped
            self._alerts.clear()
        self._alerts.append(live)
        self._wake.set()
        return dropped

    def offer_latest(self, latest: LatestOut) -> None:
        """Queue a reading in place of a waiting one of the same device."""
        if self.interest.in_latest(latest):
            self._latest[latest.device] = latest
            self._wake.set()

    def offer_command(self, command: CommandOut) -> int:
        """Queue a command in place of what waits of the same one; return how many were dropped for it."""
        if not self.interest.in_command(command):
            return 0
        dropped = 0
        if command.id not in self._commands and len(self._commands) >= COMMANDS_LIMIT:
            dropped = len(self._commands)
            self._missed += dropped
            self._commands.clear()
        self._commands[command.id] = command
        self._wake.set()
        return dropped

    def close(self) -> None:
        """End the subscription: `wait` returns at once from now on."""
        self.closed = True
        self._wake.set()

    async def wait(self) -> PendingEvents:
        """Return everything that waits, once something does."""
        await self._wake.wait()
        if not self.closed:
            self._wake.clear()
        waiting = PendingEvents(
            missed=self._missed,
            alerts=list(self._alerts),
            latest=list(self._latest.values()),
            commands=list(self._commands.values()),
        )
        self._missed = 0
        self._alerts.clear()
        self._latest.clear()
        self._commands.clear()
        return waiting
