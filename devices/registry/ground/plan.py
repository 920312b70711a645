"""What an import of a layer would do, and what is wrong with the layer as it would then be. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devices.registry.errors import Invalid
from devices.registry.ground.feature import Feature, FeatureProblem, Layer, NewFeature
from devices.registry.ground.geojson import FoundFeatures, problem
from devices.registry.ground.overlaps import MOST_OVERLAPS, overlapping


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """What an import will write; `kept` counts stored features that are not in the file and stay."""

    add: Sequence[NewFeature]
    change: Sequence[NewFeature]
    unchanged: int
    remove: Sequence[Feature]
    kept: int
    problems: Sequence[FeatureProblem]


def plan(layer: Layer, stored: Sequence[Feature], read: FoundFeatures, *, remove_missing: bool) -> LayerPlan:
    """Compare a file with the stored layer.

    Args:
        layer: which one.
        stored: its features.
        read: the file, with the problems found in it alone.
        remove_missing: stored features that are not in the file go.
    """
    by_code = {feature.name: feature for feature in stored}
    add = [one for one in read.features if one.name not in by_code]
    known = [one for one in read.features if one.name in by_code]
    change = [one for one in known if _differs(one, by_code[one.name])]
    missing = [feature for feature in stored if feature.name not in read.codes]
    problems = list(read.problems)
    if layer is Layer.DISTRICTS:
        problems += _overlaps(read.features, [] if remove_missing else missing)
        problems.sort(key=_position)
    return LayerPlan(
        add=add,
        change=change,
        unchanged=len(known) - len(change),
        remove=missing if remove_missing else [],
        kept=0 if remove_missing else len(missing),
        problems=problems,
    )


def _position(problem: FeatureProblem) -> int:
    """Return which feature a problem is of; those of the whole file come first."""
    return int(problem.pointer.split("/")[2]) if problem.feature else -1


def _differs(new: NewFeature, old: Feature) -> bool:
    return dict(new.title) != dict(old.title) or dict(new.geometry) != dict(old.geometry)


def _overlaps(features: Sequence[NewFeature], kept: Sequence[Feature]) -> list[FeatureProblem]:
    """Return the districts of a file that lie over each other, or over one that stays."""
    everything: list[Feature | NewFeature] = [*kept, *features]
    problems = []
    # Those that are stored overlapped before.
    found = overlapping([one.geometry for one in everything], settled=len(kept), most=MOST_OVERLAPS + 1)
    for first, second, m2 in found[:MOST_OVERLAPS]:
        other, one = everything[first], features[second - len(kept)]
        fix = "move the border of one of them"
        if not isinstance(other, NewFeature):
            fix += f", or take {other.name!r} away: it is stored, and stays without --remove-missing"
        message = f"{one.name!r} overlaps {other.name!r} by {m2:,.0f} m²: {fix}"
        problems.append(problem(one.position, one.name, Invalid("geometry", message)))
    if len(found) > MOST_OVERLAPS:
        more = f"more than {MOST_OVERLAPS} districts overlap; mend these, then the others are looked for"
        problems.append(FeatureProblem(pointer="", feature="", message=more))
    return problems
