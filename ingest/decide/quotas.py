"""How much one device may send: a bucket a device and measure, filled by whole intakes before decoding.

Pure; `now` is in the receive times. What is over its quota is marked, and refused without a look into it.
Must not know what a message says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import Kind
from devices.wire import MAX_ELEMENTS
from devices.wire.packed import PackedPayloads, pack
from devices.wire.topics import GATEWAY
from ingest.broker.intake import Intake
from ingest.decide.directory import Directory

MINUTE_US = 60_000_000
FEWEST_READINGS = 20_000
"""What the bucket of the slowest device holds: whoever was out of reach may return with all of it at once."""
BACKLOG_S = 3 * 86_400
"""The bucket of every device holds so much of its own interval: after a weekend of ours nobody is refused."""
READING_BYTES = 1_024
"""What a reading of the bucket is in bytes: four times what kinds of ours send."""
OWN_PACES = 2
"""A device may always go on at so many times its own interval, whatever the settings say."""
MOST_MEMBERS = 32
"""Members of an honest element: commas beyond them are elements, `[1,1,1]` as well as objects."""

DRAIN_EVERY_US = 10_000_000
"""How often all buckets are drained."""

Floats = NDArray[np.float64]
Measures = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a device may send a minute, in the long run; 0: without limit."""

    messages: int = 600
    readings: int = 600
    bytes: int = 614_400

    @property
    def measures(self) -> Measures:
        """The three in their order."""
        return self.messages, self.readings, self.bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaPlan:
    """The quota of every device, and those of kinds that have their own."""

    default: Quota = field(default_factory=Quota)
    of_kinds: Mapping[str, Quota] = field(default_factory=dict)

    def of(self, kind: str) -> Quota:
        """Return the quota of a kind's devices."""
        return self.of_kinds.get(kind, self.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """By measure and device id: (3, n) what drains a second, and what fits; the last one is every stranger's.

    Where there is no limit nothing drains and anything fits.
    """

    drain: Floats
    holds: Floats

    def told(self, name: str, device_id: int) -> str:
        """Return what a rejection says of a device's quota."""
        parts = [
            f"{most:,.0f} {measure} at once and then {drain * 60:,.0f} a minute"
            for measure, most, drain in zip(
                ("messages", "readings", "bytes"),
                self.holds[:, device_id],
                self.drain[:, device_id],
                strict=True,
            )
            if np.isfinite(most)
        ]
        return f"{name} may send {'; '.join(parts)}"


class Quotas:
    """The buckets of all devices; they are empty when a process starts."""

    def __init__(self, plan: QuotaPlan) -> None:
        self._plan = plan
        self._limits: tuple[Directory, _Limits] | None = None
        self._filled = np.zeros((3, 0))
        self._at = np.zeros(0, dtype=np.int64)
        self._all_drained_at = 0

    def judge(self, intake: Intake, directory: Directory) -> Intake:
        """Fill the buckets; return the intake with what is over, which is nothing nearly always.

        What is over fills no bucket: a device that sends less again is heard again.
        """
        limits, sources = self._limits_of(directory), directory.sources(intake.topics)
        # The last of every array, -1, is where none is registered.
        ids, charges = sources.device_id, _charges(intake)
        now = int(intake.received_at[-1])
        if now - self._all_drained_at >= DRAIN_EVERY_US:
            # A bucket holds far more than drains until then; before anything is refused its own is drained.
            self._drain(slice(None), limits, now)
            self._all_drained_at = now
        self._fill(ids, charges)
        over: dict[int, str] = {}
        for device_id in self._too_full(ids, limits):
            rows = np.flatnonzero(ids == device_id)
            taken = self._most_that_fits(device_id, charges[:, rows], limits, now)
            if taken < len(rows):
                why = limits.told(sources[rows[0]].name, device_id)
                over |= dict.fromkeys(rows[taken:].tolist(), why)
        return replace(intake, over=over) if over else intake

    def give_back(self, intake: Intake, directory: Directory) -> None:
        """Undo `judge` for an intake that is dropped: the broker sends it again."""
        ids, charges = directory.sources(intake.topics).device_id, _charges(intake)
        charges[:, list(intake.over)] = 0
        self._limits_of(directory)
        self._fill(ids, -charges)
        self._filled[:, ids] = np.maximum(self._filled[:, ids], 0.0)

    def _fill(self, ids: NDArray[np.int32], charges: Floats) -> None:
        for filled, charge in zip(self._filled, charges, strict=True):
            np.add.at(filled, ids, charge)
        self._filled[:, -1] = 0.0

    def _drain(self, devices: int | slice, limits: _Limits, now: int) -> None:
        """Let the buckets of one device, or of all, drain until now."""
        elapsed_s = np.maximum(now - self._at[devices], 0) / 1e6
        level = self._filled[:, devices] - limits.drain[:, devices] * elapsed_s
        self._filled[:, devices] = np.maximum(level, 0.0)
        self._at[devices] = now

    def _too_full(self, ids: NDArray[np.int32], limits: _Limits) -> list[int]:
        """Return the devices whose buckets hold more than fits, as they have not been drained for a while."""
        too_full = np.zeros(len(ids), dtype=bool)
        for filled, holds in zip(self._filled, limits.holds, strict=True):
            too_full |= filled.take(ids) > holds.take(ids)
        return np.unique(ids[too_full]).tolist() if too_full.any() else []

    def _most_that_fits(self, device_id: int, charges: Floats, limits: _Limits, now: int) -> int:
        """Fill the bucket of one device anew, with as many of its messages as fit; return how many."""
        self._filled[:, device_id] -= charges.sum(axis=1)
        self._drain(device_id, limits, now)
        level = self._filled[:, [device_id]] + np.cumsum(charges, axis=1)
        fits = (level <= limits.holds[:, [device_id]]).all(axis=0)
        # From the first on that does not fit, all: the order of a device's messages has no holes.
        taken = charges.shape[1] if fits.all() else int(np.argmin(fits))
        if taken:
            self._filled[:, device_id] = level[:, taken - 1]
        return taken

    def _limits_of(self, directory: Directory) -> _Limits:
        if self._limits is None or self._limits[0] is not directory:
            limits = _limits(directory, self._plan)
            self._limits = directory, limits
            self._reach(limits.holds.shape[1])
        return self._limits[1]

    def _reach(self, n: int) -> None:
        more = n - self._filled.shape[1]
        if more > 0:
            # The last column was the strangers', which nothing stays in.
            self._filled = np.append(self._filled, np.zeros((3, more)), axis=1)
            self._at = np.append(self._at, np.zeros(more, dtype=np.int64))


def _charges(intake: Intake) -> Floats:
    """Return (3, n): one message each, the readings it can hold at most, its bytes."""
    payloads = pack(intake.payloads)
    charges = np.ones((3, len(intake)))
    charges[1] = np.where(payloads.begin_with(b"{"), 1, most_readings(payloads))
    charges[2] = payloads.ends - payloads.begins
    return charges


def most_readings(arrays: PackedPayloads) -> NDArray[np.int32]:
    """Return how many readings each may hold, (n,): objects, or as many as its commas can stand between."""
    return np.clip(np.maximum(arrays.braces, arrays.commas // MOST_MEMBERS), 1, MAX_ELEMENTS)


def _limits(directory: Directory, plan: QuotaPlan) -> _Limits:
    columns = directory.columns
    n = columns.id_bound + 1
    drain, holds = np.zeros((3, n)), np.full((3, n), np.inf)
    behind: dict[str, list[int]] = {}
    for row, gateways in columns.relays.items():
        for gateway in gateways:
            behind.setdefault(gateway, []).append(int(columns.ids[row]))
    for name in columns.kinds:
        if name in directory.kinds:
            ids = columns.ids[columns.of_kind(name)]
            intervals = _intervals(directory, directory.kinds[name], ids)
            drain[:, ids], holds[:, ids] = _of_intervals(plan.of(name), intervals)
    for device_id in columns.ids[columns.of_kind(GATEWAY)].tolist():
        # What a gateway relays is the readings of its devices: it may send what they may.
        theirs = behind.get(directory.registry.devices[device_id].name, [])
        own_drain, own_holds = _of_intervals(plan.of(GATEWAY), np.array([np.inf]))
        drain[:, device_id] = np.maximum(own_drain[:, 0], drain[:, theirs].sum(axis=1))
        holds[:, device_id] = np.maximum(own_holds[:, 0], holds[:, theirs].sum(axis=1))
    return _Limits(drain=drain, holds=holds)


def _intervals(directory: Directory, kind: Kind, ids: NDArray[np.int32]) -> Floats:
    """Return the interval of each device in seconds: its own, else the shortest of its kind."""
    own = directory.own_interval_s(kind.name)[ids]
    shortest = min((r.every_s for r in kind.reporting), default=np.inf)
    return np.where(own > 0, own, shortest)


def _of_intervals(quota: Quota, interval_s: Floats) -> tuple[Floats, Floats]:
    """Return what drains a second and what fits, (3, n) each, of devices with these intervals."""
    pace = OWN_PACES / interval_s
    readings = np.maximum(FEWEST_READINGS, BACKLOG_S / interval_s)
    sizes = np.array([[1.0], [1.0], [READING_BYTES]])
    a_minute = np.array(quota.measures, dtype=np.float64)[:, np.newaxis]
    drain = np.maximum(a_minute / 60, pace * sizes)
    holds = np.maximum(readings * sizes, a_minute)
    unlimited = a_minute == 0
    return np.where(unlimited, 0.0, drain), np.where(unlimited, np.inf, holds)
