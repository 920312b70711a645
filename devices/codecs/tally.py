"""The line in the log that says that a codec fails, once in a while. Knows no process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog

TOLD_EVERY_S: Final = 300.0
"""A codec that keeps failing is told about so often, with how many messages it cost since."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class CodecTally:
    """How many messages one codec cost since the log was told of it."""

    _untold: int = 0
    _told_at: float = float("-inf")

    def failure(self, codec: str, reason: str, now: float) -> None:
        """Count a message; log the first, and then what gathered, every few minutes.

        Args:
            now: seconds of a clock that never goes back.
        """
        self._untold += 1
        if now - self._told_at >= TOLD_EVERY_S:
            log.warning("codec fails", codec=codec, reason=reason, messages=self._untold)
            self._untold, self._told_at = 0, now
