"""How many rejected payloads are kept: the first hundred a device and hour; the rest are only counted.

Pure. A device gone mad must not fill the disk with its complaints.
"""

from __future__ import annotations

from collections import Counter

KEPT_PER_HOUR = 100
_HOUR = 3600 * 1_000_000


class Allowance:
    """Counts what is kept, by device; `adopt` or `forget` what a batch has used."""

    def __init__(self) -> None:
        self._hour = -1
        self._kept: Counter[str] = Counter()
        self._used: Counter[str] = Counter()

    def restore(self, hour_start: int, kept: dict[str, int]) -> None:
        """Take over what is stored of the hour that began at `hour_start` (microseconds)."""
        self._hour, self._kept = hour_start // _HOUR, Counter(kept)

    def admits(self, device: str, received_at: int) -> bool:
        """Tell whether one more payload of the device is kept."""
        hour = received_at // _HOUR
        if hour > self._hour:
            self._hour = hour
            self._kept.clear()
            self._used.clear()
        if self._kept[device] + self._used[device] >= KEPT_PER_HOUR:
            return False
        self._used[device] += 1
        return True

    def adopt(self) -> None:
        """The batch has committed."""
        self._kept += self._used
        self._used.clear()

    def forget(self) -> None:
        """The batch has not, or is decided again."""
        self._used.clear()
