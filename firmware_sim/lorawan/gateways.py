"""Gateways, whose clocks are right, wrong or missing, and what each heard. Times are microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

HOUR = 3_600_000_000
NEVER_SET = -1
"""A clock that counts from 1970, because nobody has set it since the gateway was switched on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One gateway. ahead: how far its clock is ahead; NEVER_SET; None: it has none."""

    eui: str
    ahead: int | None = 0

    def clock(self, at: int) -> int | None:
        """Return what its clock says at an instant."""
        if self.ahead == NEVER_SET:
            return at % HOUR
        return None if self.ahead is None else at + self.ahead


RIGHT: Final = tuple(Gateway(eui=f"0016c001f153a1{n:02x}", ahead=n * 1_000) for n in range(8))
"""Right as far as clocks are: a millisecond apart, so that two gateways never say the same of a frame."""
AHEAD: Final = Gateway(eui="0016c001f153a1a0", ahead=3 * HOUR)
BEHIND: Final = Gateway(eui="0016c001f153a1a1", ahead=-2 * HOUR)
UNSET: Final = Gateway(eui="0016c001f153a1a2", ahead=NEVER_SET)
CLOCKLESS: Final = Gateway(eui="0016c001f153a1a3", ahead=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """That a gateway heard a frame. clock: what its own said then."""

    gateway: Gateway
    clock: int | None
    rssi_dbm: int
    snr_db: float


def some_right(rng: np.random.Generator) -> list[Gateway]:
    """Return one to three gateways with a right clock; never the last one, who is there for late copies."""
    return [RIGHT[n] for n in rng.permutation(len(RIGHT) - 1)[: rng.integers(1, 4)]]


def receptions(rng: np.random.Generator, by: Sequence[Gateway], at: int) -> list[Reception]:
    """Return how each of these gateways heard a frame that was sent at an instant."""
    return [
        Reception(
            gateway=gateway,
            clock=gateway.clock(at),
            rssi_dbm=int(rng.integers(-120, -50)),
            snr_db=float(rng.integers(-40, 50)) / 4,
        )
        for gateway in by
    ]


def rfc3339(at: int) -> str:
    """Return an instant as network servers write it, with as many digits as they do."""
    seconds, micros = divmod(at, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micros:06d}000Z"
