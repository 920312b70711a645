"""What `when` says of a device's readings, or of an instant, as terms of an explanation. Pure.

Whether each part holds is judged by rules.context.gate, as for the evaluator and the sweeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from devices.registry.life import counts_from
from devices.registry.registry import Device, Municipality
from rules.context.gate import GatePart, Surroundings, judge_gate, judge_parts, rests_in_maintenance
from rules.context.local_time import PlaceColumns
from rules.context.sun import HORIZON_DEG
from rules.definition.definition import Gate
from rules.explain.explanation import Term, TruthValue, UndecidedCause, UndecidedReason

RESTING = Term(part="when", text="maintenance", value="rest", limit=None, truth=TruthValue.FALSE, since=None)
"""What is told of a reading that lies in a maintenance window."""
UNFED = Term(part="when", text="supply", value="off", limit=None, truth=TruthValue.FALSE, since=None)
"""What is told of a device that has no power by plan."""

PLANNED = Term(part="when", text="life", value="planned", limit=None, truth=TruthValue.FALSE, since=None)
"""What is told of a reading that was received before its device was installed."""


def rests(gate: Gate | None, maintained: NDArray[np.bool_] | None) -> bool:
    """Tell whether the last of some readings lies in a maintenance window that the rule respects.

    Args:
        maintained: (n,) whether each reading lies in one; None: none does.
    """
    return rests_in_maintenance(gate) and maintained is not None and bool(maintained[-1])


def terms(gate: Gate, surroundings: Surroundings, observed_at: NDArray[np.int64]) -> tuple[Term, ...]:
    """Return one term for each part of a gate on the last of n readings, of which there is at least one.

    Args:
        surroundings: of the readings. observed_at: (n,) microseconds, ascending.
    """
    held = judge_parts(gate, surroundings)
    found = []
    if GatePart.SUN in held:
        found.append(_sun(gate, surroundings, held[GatePart.SUN], observed_at))
    if GatePart.LOCAL_TIME in held:
        assert gate.local_from_min is not None
        assert gate.local_to_min is not None
        text = f"local_time {_clock(gate.local_from_min)}-{_clock(gate.local_to_min)}"
        found.append(_term(text, _clock(int(surroundings.local_min()[-1])), held[GatePart.LOCAL_TIME]))
    if GatePart.DAYS in held:
        today = "weekend" if surroundings.weekend()[-1] else "workdays"
        found.append(_term(f"days {gate.days}", today, held[GatePart.DAYS]))
    return tuple(found)


def of_sweep(
    gate: Gate | None,
    device: Device,
    town: Municipality,
    windows: Sequence[tuple[int, int]],
    unfed: Mapping[int, int],
    at: int,
) -> tuple[TruthValue, tuple[Term, ...]]:
    """Return whether a sweep rule looks at a device at an instant (microseconds), and what that rests on.

    Args:
        windows: of maintenance, from and until. unfed: until when devices have no power by plan, by id.
    """
    placed = device.lat is not None and device.lon is not None
    lat, lon = (device.lat, device.lon) if placed else (town.lat, town.lon)
    surroundings = PlaceColumns.of([town.time_zone], [town.weekend], [lat], [lon]).at(at)
    found = () if gate is None else terms(gate, surroundings, np.array([at], dtype=np.int64))
    held = np.ones(1) if gate is None else judge_gate(gate, surroundings)
    if at < counts_from(device.installed_at):
        return TruthValue.FALSE, (*found, PLANNED)
    if rests(gate, np.array([any(start <= at < end for start, end in windows)])):
        return TruthValue.FALSE, (*found, RESTING)
    if at < unfed.get(device.id, at):
        return TruthValue.FALSE, (*found, UNFED)
    return _truth(held), found


def _sun(
    gate: Gate, surroundings: Surroundings, held: NDArray[np.float64], observed_at: NDArray[np.int64]
) -> Term:
    truths = np.nan_to_num(held, nan=-1.0)
    changes = np.flatnonzero(truths[1:] != truths[:-1])
    elevation = float(surroundings.sun_deg()[-1])
    unknown = bool(np.isnan(elevation))
    return Term(
        part="when",
        text=f"sun() {'>=' if gate.sun == 'day' else '<'} {HORIZON_DEG}",
        value=None if unknown else round(elevation, 6),
        limit=HORIZON_DEG,
        truth=_truth(held),
        since=int(observed_at[changes[-1] + 1 if len(changes) else 0]),
        reasons=(UndecidedReason(why=UndecidedCause.NOT_A_NUMBER),) if unknown else (),
    )


def _term(text: str, value: str, held: NDArray[np.float64]) -> Term:
    return Term(part="when", text=text, value=value, limit=None, truth=_truth(held), since=None)


def _truth(held: NDArray[np.float64]) -> TruthValue:
    if np.isnan(held[-1]):
        return TruthValue.UNDECIDED
    return TruthValue.TRUE if held[-1] else TruthValue.FALSE


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
