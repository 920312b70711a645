"""What would change if rules were applied: the text of each, key by key, against what is in force.

Pure. Must not know where either side comes from.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml

from devices.texts.languages import LANGUAGES
from rules.definition.definition import Definition
from rules.definition.lets import in_order

Source = Mapping[str, Any]

_ORDER = (
    *("id", "kind", "family", "summary", "let", "levels", "clear", "for", "keep_firing", "max_gap"),
    *("when", "late", "use_suspect", "silent", "suppress_by", "settle", "route", "work", "runbook"),
    *(*LANGUAGES, "warning", "minor", "major", "critical"),
)
"""The usual order of keys; others follow by name."""


class DifferenceType(StrEnum):
    """What applying would do to one rule."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDifference:
    """One rule on both sides. keys: the top-level keys that differ. text: a unified diff."""

    rule: str
    change: DifferenceType
    keys: tuple[str, ...]
    text: str


def differences(
    in_force: Mapping[str, Source], wanted: Iterable[Definition], *, remove_others: bool = False
) -> list[RuleDifference]:
    """Return what applying definitions would do, by rule id.

    Args:
        in_force: source of each active rule.
        remove_others: rules that are not among `wanted` would be taken out of force.
    """
    sources = {d.id: d.source for d in wanted}
    ids = sorted(sources.keys() | in_force.keys()) if remove_others else sorted(sources)
    return [difference(rule, in_force.get(rule), sources.get(rule)) for rule in ids]


def difference(rule: str, before: Source | None, after: Source | None) -> RuleDifference:
    """Return how one rule differs; None on a side means that it is not there."""
    if before is None:
        change = DifferenceType.ADDED
    elif after is None:
        change = DifferenceType.REMOVED
    else:
        change = DifferenceType.UNCHANGED if before == after else DifferenceType.CHANGED
    left, right = before or {}, after or {}
    keys = [k for k in _sorted(left.keys() | right.keys()) if left.get(k) != right.get(k)]
    lines = difflib.unified_diff(
        as_yaml(left).splitlines() if before else [],
        as_yaml(right).splitlines() if after else [],
        fromfile=f"{rule} in force",
        tofile=f"{rule} in the file",
        lineterm="",
    )
    return RuleDifference(rule=rule, change=change, keys=tuple(keys), text="\n".join(lines))


def as_yaml(source: Source) -> str:
    """Return a rule as YAML, in an order that does not depend on how it was stored."""
    text: str = yaml.safe_dump([_ordered(source)], sort_keys=False, allow_unicode=True, width=100)
    return text


def _ordered(value: Any) -> Any:
    """Return mappings with their keys in order: sentences by language, levels by severity, names by need."""
    if isinstance(value, Mapping):
        let = value.get("let")
        ordered = {key: _ordered(value[key]) for key in _sorted(value)}
        if isinstance(let, Mapping):
            ordered["let"] = dict(in_order({name: str(let[name]) for name in sorted(let)}))
        return ordered
    return value


def _sorted(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=lambda k: (_ORDER.index(k) if k in _ORDER else len(_ORDER), k))
