"""What an alert says when somebody reads it: by its newest values while it is open, and by its first.

Pure. Rendered from the template of the rule's version that raised it, so that no reading writes to an alert.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from devices.kinds.kind import Kind, ValueType
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES, Language
from devices.texts.units import symbol
from rules.definition.definition import Text
from rules.definition.errors import RuleError
from rules.definition.summary import NAMES, names_in, number, render


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What an alert says, by language.

    summary: now. began: when it began, None where that is the same. course: from which value to which
    ("420 °C now, 65 °C when it began"), None where nothing newer was measured or it reads the same.
    """

    summary: Text
    began: Text | None
    course: Text | None


def sentence(
    template: Text,
    *,
    stored: Text,
    names: Mapping[str, str | Text],
    evidence: Mapping[str, Any],
    first: Mapping[str, Any],
    newest: Mapping[str, Any] | None,
    quality: int = 0,
    kind: Kind | None,
) -> Sentence:
    """Return what an alert says.

    Args:
        template: of the rule's version, by language.
        stored: what was rendered when it opened; told where the template names what evidence lacks.
        names: of the device and of the municipality, see summary.NAMES; perhaps by language.
        evidence, first: of the last change of its severity, and of its beginning.
        newest: measurements of the device since then, None where there are none or it has ended.
        quality: bits of the newest; a measurement that is marked is no news.
    """
    named = _values_of(template)
    can_be_told, wanted = named is not None, named or {}
    now, then = _known(evidence), _known(first)
    measured = {m.name: m for m in kind.measurements if m.type is ValueType.NUMBER} if kind else {}
    fresh = {
        name: newest[name]
        for name in wanted
        if name in measured
        and newest
        and newest.get(name) is not None
        and not quality >> measured[name].bit & 1
    }
    limits = evidence.get("limits", {})
    # What was computed cannot be computed again here; beside newer measurements it would contradict them.
    if all(name in fresh or name in limits for name in wanted):
        now = {**now, **fresh}
    summary = render(template, {**now, **names}) if can_be_told and now.keys() >= wanted.keys() else stored
    began = render(template, {**then, **names}) if can_be_told and then.keys() >= wanted.keys() else summary
    course = None
    for name in wanted:
        if name in fresh and then.get(name) is not None:
            course = _course(fresh[name], then[name], wanted[name], measured[name].unit)
            break
    return Sentence(summary=summary, began=None if began == summary else began, course=course)


def _values_of(template: Text) -> dict[str, str] | None:
    """Return the values that a template names, and how each is rounded; None where it names nothing."""
    found: dict[str, str] = {}
    names_any = False
    for one in template.values():
        try:
            names = names_in(one)
        except RuleError:
            return None
        specs = {name: spec or "" for _, name, spec, _ in Formatter().parse(one) if name is not None}
        found |= {name: specs[name] for name in names if name not in NAMES}
        names_any = names_any or bool(names)
    return found if names_any else None


def _known(evidence: Mapping[str, Any]) -> dict[str, Any]:
    return {**evidence.get("values", {}), **evidence.get("limits", {})}


def _course(now: float, then: float, spec: str, unit: str) -> Text | None:
    rounded = spec or ".6g"
    if format(now, rounded) == format(then, rounded):
        return None
    return {language: _said(language, unit, rounded, now, then) for language in LANGUAGES}


def _said(language: Language, unit: str, spec: str, *values: float) -> str:
    now, then = (f"{number(value, spec, language)} {symbol(unit, language)}".strip() for value in values)
    return text(language, "sentence.course", now=now, then=then)
