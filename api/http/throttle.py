"""Wrong tokens, counted by where they come from: who guesses must wait. Pure; time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

ALLOWED = 10
"""Wrong tokens that an address may present in WINDOW_S."""
WINDOW_S = 60.0
MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class _Failures:
    since: float
    count: int = 0


class Throttle:
    """Remembers the addresses that failed last, MOST_ADDRESSES of them."""

    def __init__(self) -> None:
        self._by_address: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """Return for how many seconds an address must not try again; 0 where it may."""
        failures = self._by_address.get(address)
        if failures is None or failures.count < ALLOWED:
            return 0.0
        return max(0.0, failures.since + WINDOW_S - now_s)

    def failed(self, address: str, now_s: float) -> bool:
        """Count a wrong token; tell whether it was the last one allowed, which is worth a line in the log."""
        failures = self._by_address.get(address)
        if failures is None or now_s >= failures.since + WINDOW_S:
            failures = self._by_address[address] = _Failures(now_s)
        self._by_address.move_to_end(address)
        while len(self._by_address) > MOST_ADDRESSES:
            self._by_address.popitem(last=False)
        failures.count += 1
        return failures.count == ALLOWED
