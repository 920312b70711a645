"""The messages of a benchmark: seeded, made before anything is measured.

`plain`: bins, one reading of five values a message. `mixed`: three kinds, 10 % arrays of five readings with
the counters that earn a receipt, 2 % with a key that no kind declares, 1 % repeats, 1 % out of range. In both
one bin's reading in a thousand is an alarm, so that rules have something to find. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from bench.throughput.fleet import BenchFleet, Traffic

REPEATED, ARRAYS, UNKNOWN, OUT_OF_RANGE, ALARMS = 0.01, 0.10, 0.02, 0.01, 0.001
ARRAY_LENGTH = 5
REPEATED_WITHIN = 500
"""A repeat follows its original within so many messages: a link that lost an acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """n messages in the order sent.

    device: (n,) index in the fleet. at: (n,) microseconds, the newest observation of each message.
    readings, repeats: how many readings are sent, and how many of them are sent again.
    """

    topics: list[str]
    payloads: list[bytes]
    device: NDArray[np.int32]
    at: NDArray[np.int64]
    readings: int
    repeats: int

    def __len__(self) -> int:
        return len(self.payloads)


def make_stream(fleet: BenchFleet, *, seed: int, at: NDArray[np.int64]) -> Stream:
    """Return the stream of a fleet whose devices take turns in an order that changes every round.

    Args:
        at: (n,) growing microseconds, multiples of 10: when the newest reading of each message is observed.
    """
    random, n = Random(seed), len(at)  # noqa: S311 - the same seed, the same traffic
    device, at = _turns(fleet.size, n, seed), at.copy()
    # A device's next turn may come after a single message: the steps inside an array must fit in between.
    step = max(10, int(np.diff(at).min(initial=1_000_000)) // ARRAY_LENGTH // 10 * 10)
    topics = [fleet.topic(i) for i in range(fleet.size)]
    payloads: list[bytes] = []
    lengths = np.ones(n, dtype=np.int64)
    repeated = np.zeros(n, dtype=np.bool_)
    for i, (index, instant) in enumerate(zip(device.tolist(), at.tolist(), strict=True)):
        draw = random.random() if fleet.traffic is Traffic.MIXED else 1.0
        back = random.randint(1, REPEATED_WITHIN)
        if draw < REPEATED and back <= i:
            device[i], at[i], lengths[i] = device[i - back], at[i - back], lengths[i - back]
            payloads.append(payloads[i - back])
            repeated[i] = True
            continue
        reading = _READINGS[fleet.kind(index)]
        if draw < REPEATED + ARRAYS:
            lengths[i] = ARRAY_LENGTH
            payloads.append(_array(reading, instant, step, i, random))
        else:
            payloads.append(_lone(reading, instant, draw, random))
    return Stream(
        topics=[topics[index] for index in device.tolist()],
        payloads=payloads,
        device=device,
        at=at,
        readings=int(lengths.sum()),
        repeats=int(lengths[repeated].sum()),
    )


def _turns(devices: int, n: int, seed: int) -> NDArray[np.int32]:
    generator = np.random.default_rng(seed)
    rounds = [generator.permutation(devices) for _ in range(-(-n // devices))]
    return np.concatenate(rounds)[:n].astype(np.int32)


Reading = Callable[[Random], str]
"""Makes the members of one reading but `ts`."""


def _array(reading: Reading, instant: int, step: int, number: int, random: Random) -> bytes:
    """Return what gathered since the last message, oldest first; older instants are no multiples of 10."""
    parts = []
    for back in range(ARRAY_LENGTH - 1, -1, -1):
        at = instant - back * step + (1 if back else 0)
        seq = number * ARRAY_LENGTH - back + ARRAY_LENGTH
        parts.append(f'{{"ts":{at},"boot":1,"seq":{seq},{reading(random)}}}')
    return f"[{','.join(parts)}]".encode()


def _lone(reading: Reading, instant: int, draw: float, random: Random) -> bytes:
    special = draw - REPEATED - ARRAYS
    extra = ""
    if special < UNKNOWN:
        extra = ',"firmware":"2.4.1"'
    elif special < UNKNOWN + OUT_OF_RANGE:
        extra = ',"rssi_dbm":99'  # the last of two equal names counts
    return f'{{"ts":{instant},{reading(random)}{extra}}}'.encode()


def _bin(random: Random) -> str:
    draw = random.random()
    temperature = 95.0 if draw < ALARMS else 18 + 10 * draw
    return (
        f'"fill_pct":{20 + 40 * draw:.1f},"temperature_c":{temperature:.1f},"tilt_deg":{3 * draw:.1f},'
        f'"battery_v":{3.6 + draw / 10:.2f},"rssi_dbm":{-60 - 40 * draw:.0f}'
    )


def _light(random: Random) -> str:
    draw = random.random()
    return (
        f'"power_w":{25 + draw:.1f},"voltage_v":{225 + 10 * draw:.1f},"dim_pct":30,"commanded_dim_pct":30,'
        f'"energy_kwh":{1204 + draw / 10:.1f},"rssi_dbm":{-60 - 40 * draw:.0f}'
    )


def _drone(random: Random) -> str:
    draw = random.random()
    return (
        f'"lat":{34.4 + draw / 100:.5f},"lon":{35.8 + draw / 100:.5f},"alt_m":{10 + draw:.1f},'
        f'"flight_phase":"spraying","zone":"olives","battery_pct":{70 + 20 * draw:.0f},'
        f'"speed_mps":{4 + draw:.1f},"flow_lpm":{3 * (4 + draw):.1f},"pressure_bar":2.5,"gnss_fix":3,'
        f'"rssi_dbm":{-60 - 20 * draw:.0f}'
    )


_READINGS: dict[str, Reading] = {"bin": _bin, "light": _light, "drone": _drone}
