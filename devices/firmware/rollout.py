"""How a rollout goes on: in which order devices come, which belong to a stage, and when it stops.

Pure. Must not know how any of it is stored, sent or shown.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from devices.registry.errors import Invalid

DEFAULT_STAGES = (1, 10, 100)


class RolloutState(StrEnum):
    """How a rollout stands; what is stopped can be resumed, what is done or cancelled cannot."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    CANCELLED = "cancelled"


class DeviceState(StrEnum):
    """How a device of a rollout stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    DOWNLOADING = "downloading"
    UPDATED = "updated"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutCandidate:
    """A device that may be reached; `beside`: what feeds it, whose devices are not all reached first."""

    id: int
    name: str
    beside: str


def check_stages(stages: Sequence[int]) -> tuple[int, ...]:
    """Return stages as they may be.

    Raises:
        Invalid: they do not grow to 100 per cent.
    """
    growing = all(a < b for a, b in itertools.pairwise(stages))
    if not stages or not growing or stages[0] < 1 or stages[-1] != 100 or len(stages) > 20:
        raise Invalid("stages", "per cent of all devices that grow to 100, such as 1, 10, 100")
    return tuple(stages)


def in_order(candidates: Sequence[RolloutCandidate], seed: str) -> list[RolloutCandidate]:
    """Return devices in the order in which they are reached: the same for the same seed.

    Of those that hang on one circuit the second comes when every circuit has had its first: a bad image never
    darkens one street first.
    """

    def drawn(name: str) -> bytes:
        return hashlib.sha256(f"{seed} {name}".encode()).digest()

    beside: defaultdict[str, list[RolloutCandidate]] = defaultdict(list)
    for candidate in candidates:
        beside[candidate.beside].append(candidate)
    ranked = [
        (rank, drawn(candidate.name), candidate)
        for group in beside.values()
        for rank, candidate in enumerate(sorted(group, key=lambda one: drawn(one.name)))
    ]
    return [candidate for _, _, candidate in sorted(ranked, key=lambda one: one[:2])]


def stage_of(position: int, count: int, stages: Sequence[int]) -> int:
    """Return the stage in which the device at a position (from 0) of `count` is reached."""
    return next(i for i, pct in enumerate(stages) if position < math.ceil(pct * count / 100))


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCounts:
    """Devices of the stages up to the present one: all, those that ended, and those it did harm to."""

    reached: int
    ended: int
    harmed: int


class RolloutStep(StrEnum):
    """What a rollout does now."""

    WAIT = "wait"
    STOP = "stop"
    SETTLE = "settle"
    """Every device has ended: from now on its alerts are watched."""
    FOLLOWING = "following"
    END = "end"


def next_step(
    counts: StageCounts, *, tolerated_pct: int, settled_for_s: float | None, watch_s: float, last: bool
) -> RolloutStep:
    """Return what a running rollout does now.

    Args:
        tolerated_pct: so many of the reached may come to harm, in per cent; of a few devices none.
        settled_for_s: for how long every device of the stage has ended; None: not noted yet.
        watch_s: for how long alerts are watched before more are reached.
        last: whether this is the last stage.
    """
    if counts.harmed > counts.reached * tolerated_pct // 100:
        return RolloutStep.STOP
    if counts.ended < counts.reached:
        return RolloutStep.WAIT
    if settled_for_s is None:
        return RolloutStep.SETTLE
    if settled_for_s < watch_s:
        return RolloutStep.WAIT
    return RolloutStep.END if last else RolloutStep.FOLLOWING
