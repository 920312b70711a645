"""Two versions, pair by pair: the ratio of each figure, its spread, and what that shows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from bench.results.figures import Figure, figures
from bench.results.files import NotComparable, same_work
from bench.results.signed_ranks import FEWEST, LEVEL, interval, p_value, shows
from bench.results.summary import IngestSummary

SAME_RATE = 0.05
"""Latencies of open loops are compared where the loads of each pair differ by no more than this."""
NO_DIFFERENCE = "no difference that these runs can show"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureComparison:
    """One figure of both sides; ratios are after / before, a pair each.

    interval: where the typical ratio lies, at 95 %; None for fewer pairs than that takes. p: how often chance
    alone makes pairs as one-sided. shown: whether the verdict says that there is a difference, which takes
    both: the test finds one, and 1 is outside the interval.
    """

    figure: str
    unit: str
    more_is_better: bool
    before: float
    after: float
    ratios: list[float]
    ratio: float
    spread: tuple[float, float]
    interval: tuple[float, float] | None
    p: float
    shown: bool
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestComparison:
    """Every figure that both sides have; `notes` say what the reader has to know besides."""

    before: str
    after: str
    pairs: int
    figures: list[FigureComparison]
    notes: list[str]


def compare(before: Sequence[IngestSummary], after: Sequence[IngestSummary]) -> IngestComparison:
    """Compare two sides: line with line, or where each has one, run with run.

    Raises:
        NotComparable: they did not measure the same, or cannot be paired.
    """
    same_work([*before, *after])
    if len(before) != len(after):
        raise NotComparable(
            f"{len(before)} lines before and {len(after)} after: the first belongs to the first, and so on"
        )
    sides = [_values(side) for side in (before, after)]
    found, rates = [], []
    for name, one in sides[0].items():
        other = sides[1].get(name)
        if other is None:
            continue
        if len(one.values) != len(other.values):
            raise NotComparable(f"{name}: {len(one.values)} runs before and {len(other.values)} after")
        if not _same_rates(one, other):
            rates.append(name.partition(", ")[0].partition(": ")[0])
        elif min(*one.values, *other.values) > 0:
            found.append(_compared(name, one, other))
    if not found:
        raise NotComparable("no figure stands in both: measure the same stages")
    pairs = max(len(one.ratios) for one in found)
    return IngestComparison(
        before=_commits(before),
        after=_commits(after),
        pairs=pairs,
        figures=found,
        notes=[
            *_order(before, after),
            *_code([*before, *after]),
            *_rates(rates),
            *_machine(found),
            *_chance(found),
        ],
    )


def _values(side: Sequence[IngestSummary]) -> dict[str, Figure]:
    """Return each figure of every line, the median of its runs; of a single line, of every run."""
    lines = [{f"{one.name}, {one.unit.unit}": one for one in figures(summary.runs)} for summary in side]
    if len(lines) == 1:
        return lines[0]
    return {
        name: Figure(
            name=first.name,
            unit=first.unit,
            values=[median(line[name].values) for line in lines],
            rates=None if first.rates is None else [median(line[name].rates or ()) for line in lines],
        )
        for name, first in lines[0].items()
        if all(name in line for line in lines)
    }


def _same_rates(one: Figure, other: Figure) -> bool:
    pairs = zip(one.rates or (), other.rates or (), strict=True)
    return all(abs(after / before - 1) <= SAME_RATE for before, after in pairs)


def _compared(name: str, before: Figure, after: Figure) -> FigureComparison:
    ratios = np.array(after.values) / np.array(before.values)
    logs = np.log(ratios)
    p, bounds = p_value(logs), interval(logs)
    shown = shows(logs)
    return FigureComparison(
        figure=before.name,
        unit=before.unit.unit,
        more_is_better=before.unit.more_is_better,
        before=round(median(before.values), 2),
        after=round(median(after.values), 2),
        ratios=[round(float(ratio), 4) for ratio in ratios],
        ratio=round(float(np.median(ratios)), 4),
        spread=(round(float(ratios.min()), 4), round(float(ratios.max()), 4)),
        interval=None if bounds is None else (round(np.exp(bounds[0]), 4), round(np.exp(bounds[1]), 4)),
        p=round(p, 5),
        shown=shown,
        verdict=_verdict(before, [float(log) for log in logs], shown=shown),
    )


def _verdict(figure: Figure, logs: Sequence[float], *, shown: bool) -> str:
    pairs, more = len(logs), sum(log > 0 for log in logs)
    word = figure.unit.more if median(logs) > 0 else figure.unit.less
    if shown:
        return word
    if pairs < FEWEST:
        one_way = f"{word} in all, but " if {more, sum(log < 0 for log in logs)} == {0, pairs} else ""
        return f"{one_way}{pairs} {'pair is' if pairs == 1 else 'pairs are'} too few to show a difference"
    return NO_DIFFERENCE


def _commits(side: Sequence[IngestSummary]) -> str:
    return ", ".join(dict.fromkeys(one.commit for one in side))


def _order(before: Sequence[IngestSummary], after: Sequence[IngestSummary]) -> list[str]:
    pairs = [sorted((one.measured_at, other.measured_at)) for one, other in zip(before, after, strict=True)]
    if len(pairs) > 1 and all(one[1] < following[0] for one, following in pairwise(pairs)):
        return []
    return ["Not measured in turns: what the machine did meanwhile may be the difference."]


def _code(summaries: Sequence[IngestSummary]) -> list[str]:
    unknown = any(one.compiled is None for one in summaries)
    return ["Some lines do not tell whether ingest had compiled code; that may be the difference."] * unknown


def _rates(names: Sequence[str]) -> list[str]:
    return [
        f"{name}: left out, the loads differ by more than {SAME_RATE:.0%}; measure with --open-rate."
        for name in dict.fromkeys(names)
    ]


def _machine(found: Sequence[FigureComparison]) -> list[str]:
    differs = any(one.shown and one.figure.startswith(("raw COPY", "peer")) for one in found)
    return ["What is not Nabd's differs too (raw COPY, peers): so did the machine."] if differs else []


def _chance(found: Sequence[FigureComparison]) -> list[str]:
    judged = sum(len(one.ratios) >= FEWEST for one in found)
    if not judged:
        return [f"A difference takes {FEWEST} pairs at least, better ten."]
    return [
        f"{judged} figures were judged at {LEVEL:.0%}: chance alone makes about {judged * LEVEL:.1f} differ."
    ]
