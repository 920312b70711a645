"""One line in the log when an outage begins and one when it ends, however often something is tried."""

from __future__ import annotations

from typing import Any


class Outage:
    """Something that is away now and then. Not an error: whoever uses it waits, or does without."""

    def __init__(self, log: Any, began: str, ended: str) -> None:
        """Take a logger of structlog and the two sentences."""
        self._log, self._began, self._ended = log, began, ended
        self._tries = 0

    def lasts(self, error: BaseException | str) -> None:
        """Note that it is away; said the first time only."""
        if not self._tries:
            self._log.warning(self._began, error=str(error) or type(error).__name__)
        self._tries += 1

    def over(self) -> None:
        """Note that it is there; said only after it was away."""
        if self._tries:
            self._log.info(self._ended, tries=self._tries)
        self._tries = 0
