"""A channel that keeps what it is handed, or refuses it."""

from __future__ import annotations

from dataclasses import dataclass, field

from notify.message import NotificationMessage, Undelivered


@dataclass
class KeptChannel:
    """Takes every message, unless `refuses` says why not."""

    name: str = "email"
    refuses: str = ""
    messages: list[tuple[NotificationMessage, str]] = field(default_factory=list)

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Keep a message."""
        if self.refuses:
            raise Undelivered(self.refuses)
        self.messages.append((message, to))
        return "250 kept"

    async def close(self) -> None:
        """Nothing is open."""
