"""How many requests one caller may make: a bucket a key that fills with requests and drains with time.

A key is an address, or who has been recognised. Kept by each process for itself, in its memory. Pure; time is
an argument. Must not know HTTP. The library `limits` would start a thread for every ten milliseconds of
requests, and read the clock itself.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

WINDOW_S = 60.0
MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestQuota:
    """Requests in WINDOW_S: of one token or session, and of one address; 0: any number."""

    token: int = 3_000
    address: int = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsLeft:
    """What a key has left after a request: requests, and in how many seconds it has all of them again.

    wait_s: 0 where the request may pass, else after how many seconds one will.
    """

    most: int
    requests: int
    again_s: int
    wait_s: int


class RequestLimit:
    """Buckets of the keys that asked last, MOST_KEYS of them; `most` requests fit into each."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._drain = most / WINDOW_S
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now_s: float) -> RequestsLeft:
        """Count a request, unless the bucket is full: what is refused does not prolong the wait."""
        level, at_s = self._filled.get(key, (0.0, now_s))
        level = max(0.0, level - self._drain * max(0.0, now_s - at_s))
        passes = level + 1 <= self.most
        level += passes
        self._filled[key] = level, now_s
        self._filled.move_to_end(key)
        while len(self._filled) > MOST_KEYS:
            self._filled.popitem(last=False)
        return RequestsLeft(
            most=self.most,
            requests=int(self.most - level),
            again_s=math.ceil(level / self._drain),
            wait_s=0 if passes else max(1, math.ceil((level + 1 - self.most) / self._drain)),
        )
