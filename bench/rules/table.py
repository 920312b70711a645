"""The benchmark's result for people, documents and programs. Knows no command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.rules.apart.apart import CLASSES
from bench.rules.bench import RuleBenchResult
from bench.rules.judged import Opening
from bench.rules.matching import Fault
from bench.rules.score import RuleScore
from devices.instants import to_datetime

HEADINGS = (
    "rule",
    "faults",
    "recall",
    "95 %",
    "alerts",
    "false",
    "precision",
    "95 %",
    "delay median",
    "delay p95",
    "allowed",
    "in time",
    "false / 1,000 device-days",
    "unobservable",
)


def rows(scores: Sequence[RuleScore]) -> list[tuple[str, ...]]:
    """Return one row of text per rule, under HEADINGS."""
    return [_row(score) for score in scores]


def _row(score: RuleScore) -> tuple[str, ...]:
    return (
        score.rule,
        f"{score.faults}{' insufficient' if score.insufficient else ''}",
        share(score.recall),
        between(score.recall_interval),
        str(score.alerts),
        str(score.false_alerts),
        share(score.precision),
        between(score.precision_interval),
        f"{lasting(score.delay_median_s)}{' late' if score.late else ''}",
        lasting(score.delay_p95_s),
        lasting(score.delay_allowed_s),
        share(score.in_time),
        f"{score.false_per_1000_device_days:.2f}",
        str(score.unobservable),
    )


def share(value: float | None) -> str:
    """Return a share with three decimals."""
    return "" if value is None else f"{value:.3f}"


def between(interval: tuple[float, float]) -> str:
    """Return a confidence interval."""
    return f"{interval[0]:.2f}..{interval[1]:.2f}"


def lasting(seconds: float | None) -> str:
    """Return a time as people say it."""
    if seconds is None:
        return ""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} d"


def summary(result: RuleBenchResult) -> str:
    """Return what was lived through, in one line."""
    return (
        f"seed {result.seed}: {result.device_days:,.0f} device-days, {result.readings:,} readings,"
        f" {result.overall.faults:,} faults, {result.overall.alerts:,} alerts"
    )


def markdown(results: Sequence[RuleBenchResult]) -> str:
    """Return one table per seed, as docs/rules-benchmark.md holds them."""
    parts = []
    for result in results:
        lines = [summary(result), "", _line(HEADINGS), _line(["---"] + ["--:"] * (len(HEADINGS) - 1))]
        lines += [_line((f"`{row[0]}`", *row[1:])) for row in [*rows(result.scores), *class_rows(result)]]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def as_object(result: RuleBenchResult) -> dict[str, Any]:
    """Return what the last line of the command says."""
    return {
        "seed": result.seed,
        "device_days": round(result.device_days, 3),
        "rules": [
            {
                "rule": score.rule,
                "precision": _rounded(score.precision),
                "recall": _rounded(score.recall),
                "delay_median_s": score.delay_median_s,
                "delay_p95_s": score.delay_p95_s,
                "delay_allowed_s": score.delay_allowed_s,
                "in_time": _rounded(score.in_time),
                "false_per_1000_device_days": round(score.false_per_1000_device_days, 3),
                "faults": score.faults,
                "unobservable": score.unobservable,
            }
            for score in result.scores
        ],
        "by_class": {
            name: {
                **_worth(one.overall),
                "faults": one.overall.faults,
                "unobservable": one.overall.unobservable,
            }
            for name, one in result.apart.items()
        },
        "by_interval": {
            CLASSES[name].interval: _worth(one.overall)
            for name, one in result.apart.items()
            if CLASSES[name].interval
        },
    }


def _worth(score: RuleScore) -> dict[str, float | None]:
    return {"precision": _rounded(score.precision), "recall": _rounded(score.recall)}


def class_rows(result: RuleBenchResult) -> list[tuple[str, ...]]:
    """Return one row of text per class that is judged apart, under HEADINGS."""
    return [(name, *_row(one.overall)[1:]) for name, one in result.apart.items()]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def fault(found: Fault) -> str:
    """Return one fault as one line."""
    return f"{found.rule} on {found.device} from {_at(found.start)} to {_at(found.end)}"


def opening(found: Opening) -> str:
    """Return one alert as one line."""
    return f"{found.rule} on {found.device} at {_at(found.opened_at)}"


def _at(instant: int) -> str:
    return f"{to_datetime(instant):%Y-%m-%dT%H:%M:%SZ}"
