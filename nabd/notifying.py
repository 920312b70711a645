"""The process `nabd notify`: routes, texts and channels put together for the outbox."""

from __future__ import annotations

from nabd.settings import Settings


async def notify(settings: Settings) -> None:
    """Tell people of alerts, as the one leader."""
    raise NotImplementedError
