"""How often each codec failed, and the one line in the log that says so. Knows no process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog

TOLD_EVERY_S: Final = 300.0
"""A codec that keeps failing is told about so often, with how many messages it cost since."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class CodecTally:
    """What one codec did since this process began. last: why it failed last, empty if never."""

    succeeded: int = 0
    failed: int = 0
    last: str = ""
    _untold: int = 0
    _told_at: float = float("-inf")

    def success(self) -> None:
        """Count a message that it decoded or encoded."""
        self.succeeded += 1

    def failure(self, codec: str, reason: str, now: float) -> None:
        """Count one that it did not; log the first, and then what gathered, every few minutes.

        Args:
            now: seconds of a clock that never goes back.
        """
        self.failed += 1
        self.last = reason
        self._untold += 1
        if now - self._told_at >= TOLD_EVERY_S:
            log.warning("codec fails", codec=codec, reason=reason, messages=self._untold)
            self._untold, self._told_at = 0, now
