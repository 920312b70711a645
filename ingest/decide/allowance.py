"""How many rejected payloads are stored: the first hundred a device and hour; the rest are only counted.

Names that are not registered, of which anybody can make up any number, share one allowance as well. Pure. A
faulty device must not fill the disk with rejections.
"""

from __future__ import annotations

from collections import Counter

KEPT_PER_HOUR = 100
STRANGERS_PER_HOUR = 10_000
"""Payloads of all names together that are not registered."""
_HOUR = 3600 * 1_000_000


class Allowance:
    """Counts stored rejections by device; `adopt` or `forget` what a batch has used."""

    def __init__(self) -> None:
        self._hour = -1
        self._kept: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._strangers_kept = self._strangers_used = 0

    def restore(self, hour_start: int, kept: dict[str, int], *, strangers: int = 0) -> None:
        """Start with what is stored of the hour that began at `hour_start` (microseconds).

        Args:
            kept: stored rejections by device.
            strangers: how many of them are of names that are not registered.
        """
        self._hour, self._kept = hour_start // _HOUR, Counter(kept)
        self._strangers_kept = strangers

    def admits(self, device: str, received_at: int, *, stranger: bool = False) -> bool:
        """Tell whether one more payload of the device, registered or a stranger, is stored."""
        hour = received_at // _HOUR
        if hour > self._hour:
            self._hour = hour
            self._kept.clear()
            self._used.clear()
            self._strangers_kept = self._strangers_used = 0
        if stranger and self._strangers_kept + self._strangers_used >= STRANGERS_PER_HOUR:
            return False
        if self._kept[device] + self._used[device] >= KEPT_PER_HOUR:
            return False
        self._used[device] += 1
        self._strangers_used += stranger
        return True

    def adopt(self) -> None:
        """Keep what the batch has used: it has committed."""
        self._kept += self._used
        self._strangers_kept += self._strangers_used
        self.forget()

    def forget(self) -> None:
        """Give back what the batch has used: it has not committed, or is decided again."""
        self._used.clear()
        self._strangers_used = 0
