"""What mosquitto's log says of sign-ins that it refused: lines become counts. Pure.

Before 2.1 it does not say who was refused, and from where only in a line before. An address is counted where
one connection alone had not signed in yet; else it is left empty, since it may be another's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

_CONNECTION = re.compile(r"New connection from (?P<address>\S+):(?P<port>\d+) on port")
_SIGNED_IN = re.compile(r"New client connected from (?P<address>\S+):(?P<port>\d+) as ")
_REFUSED = re.compile(
    r"Client (?P<client>.+?)(?: \[(?P<address>\S+?)(?::\d+)?\])? disconnected[,:] not authorised"
)
_CERTIFICATE = re.compile(r"OpenSSL Error.*(?:certificate|unknown ca|peer did not return)", re.IGNORECASE)
UNKNOWN = "<unknown>"
MOST_OPEN = 1000
LONGEST = 128
MOST_KEYS = 200
"""Addresses and clients, which a stranger chooses; more of them are counted as if the broker did not say."""


@dataclass(slots=True, kw_only=True)
class RefusalCount:
    """Counts refusals by address and client as lines come; both empty where the broker does not say."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _open: dict[tuple[str, str], None] = field(default_factory=dict)

    def read(self, line: str) -> None:
        """Take one line of the log."""
        if found := _CONNECTION.search(line):
            if len(self._open) >= MOST_OPEN:
                self._open.clear()
            self._open[found["address"], found["port"]] = None
        elif found := _SIGNED_IN.search(line):
            self._open.pop((found["address"], found["port"]), None)
        elif found := _REFUSED.search(line):
            client = "" if found["client"] == UNKNOWN else found["client"][:LONGEST]
            self._count(found["address"], client)
        elif _CERTIFICATE.search(line):
            self._count(None, "")

    def taken(self) -> Counter[tuple[str, str]]:
        """Return what was counted since it was last asked for."""
        counts, self.counts = self.counts, Counter()
        return counts

    def put_back(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Count again what was taken and could not be kept."""
        for key, count in counts.items():
            self._add(key, count)

    def _count(self, address: str | None, client: str) -> None:
        if address is None:
            address = next(iter(self._open))[0] if len(self._open) == 1 else ""
        self._open.clear()
        self._add((address, client), 1)

    def _add(self, key: tuple[str, str], count: int) -> None:
        known = key in self.counts or len(self.counts) < MOST_KEYS
        self.counts[key if known else ("", "")] += count
