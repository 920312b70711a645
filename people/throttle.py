"""Wrong guesses, counted by where they come from and whom they are about: who guesses must wait.

Pure; time is an argument.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

ALLOWED = 10
"""Wrong guesses per key in WINDOW_S."""
WINDOW_S = 60.0
MOST_KEYS = 10_000
ALLOWED_OF_DEVICES = 300
"""Wrong passwords of devices per address: a whole town may stand behind one."""


@dataclass(slots=True)
class _Failures:
    since: float
    count: int = 0


class Throttle:
    """Remembers the keys that failed last, MOST_KEYS of them; a key is an address or a name.

    allowed: wrong guesses per key in window_s.
    """

    def __init__(self, allowed: int = ALLOWED, window_s: float = WINDOW_S) -> None:
        self._allowed = allowed
        self._window_s = window_s
        self._by_key: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """Return for how many seconds a key must not try again; 0 where it may."""
        failures = self._by_key.get(key)
        if failures is None or failures.count < self._allowed:
            return 0.0
        return max(0.0, failures.since + self._window_s - now_s)

    def failed(self, key: str, now_s: float) -> bool:
        """Count a wrong guess; tell whether it was the last one allowed, which is worth a line in the log."""
        failures = self._by_key.get(key)
        if failures is None or now_s >= failures.since + self._window_s:
            failures = self._by_key[key] = _Failures(now_s)
        self._by_key.move_to_end(key)
        while len(self._by_key) > MOST_KEYS:
            self._by_key.popitem(last=False)
        failures.count += 1
        return failures.count == self._allowed


def of_address(address: str) -> str:
    """Return the key of an address; of IPv6 its network of 64 bits, all of which one caller has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"address {address}"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return f"address {ipaddress.ip_network((parsed, 64), strict=False)}"
    return f"address {address}"


def of_name(name: str) -> str:
    """Return the key of the name of a person."""
    return f"name {name[:100]}"
