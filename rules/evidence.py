"""What made an alert fire, in the reader's language: labelled values and limits instead of their names.

Pure. Labels come from the kind's declaration, from the rule's `labels`, and for functions from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.kinds.kind import Attribute, Kind, Measurement
from rules.definition import Text

_CALL = re.compile(r"(\w+)\((?:(\w+)\b)?.*\)", re.DOTALL)
_FUNCTIONS: Mapping[str, Text] = {
    "delta": {"en": "change of {x}", "fr": "variation : {x}", "ar": "تغيّر {x}"},
    "rate": {"en": "rate of change of {x}", "fr": "vitesse de variation : {x}", "ar": "معدل تغيّر {x}"},
    "trend": {"en": "change of {x} per day", "fr": "variation par jour : {x}", "ar": "تغيّر {x} في اليوم"},
    "baseline": {"en": "usual {x}", "fr": "valeur habituelle : {x}", "ar": "القيمة المعتادة: {x}"},
    "total": {"en": "total of {x}", "fr": "total : {x}", "ar": "مجموع {x}"},
    "flat": {"en": "{x} does not move", "fr": "valeur figée : {x}", "ar": "{x} لا يتغيّر"},
    "frozen": {"en": "values do not move", "fr": "valeurs figées", "ar": "القيم لا تتغيّر"},
    "count": {"en": "number of times", "fr": "nombre de fois", "ar": "عدد المرات"},
    "n_of": {"en": "often enough", "fr": "assez souvent", "ar": "تكرر بما يكفي"},
    "sun": {"en": "height of the sun", "fr": "hauteur du soleil", "ar": "ارتفاع الشمس"},
    "lag": {"en": "delay", "fr": "retard", "ar": "التأخر"},
    "away_m": {"en": "distance from its place", "fr": "distance de l'emplacement", "ar": "البعد عن المكان"},
}
_UNITS = {"sun": "deg", "lag": "s", "away_m": "m", "frozen": "", "flat": "", "count": "", "n_of": ""}
_TRUTH: Mapping[str, tuple[str, str]] = {"en": ("no", "yes"), "fr": ("non", "oui"), "ar": ("لا", "نعم")}
_CONDITIONS = ("flat", "frozen", "n_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One value or limit. unit: as the kind declares it, empty where there is none."""

    name: str
    label: str
    value: str
    unit: str
    limit: bool


def terms(
    evidence: Mapping[str, Any], kind: Kind | None, language: str, labels: Mapping[str, Text] | None = None
) -> list[Term]:
    """Return the terms of a transition's evidence, values first.

    Args:
        kind: of the device; None leaves names as they are.
        language: en, fr or ar.
        labels: the rule's own, for what it calls by `let`.
    """
    return [
        _term(name, value, part == "limits", kind, language, labels or {})
        for part in ("values", "limits")
        for name, value in evidence.get(part, {}).items()
    ]


def _term(
    name: str, value: object, limit: bool, kind: Kind | None, language: str, labels: Mapping[str, Text]
) -> Term:
    label, unit = _label(name, kind, language, labels)
    call = _CALL.fullmatch(name)
    truth = isinstance(value, bool) or (call is not None and call[1] in _CONDITIONS)
    return Term(name=name, label=label, value=_plain(value, truth, language), unit=unit, limit=limit)


def _label(name: str, kind: Kind | None, language: str, labels: Mapping[str, Text]) -> tuple[str, str]:
    if name in labels:
        return labels[name].get(language, name), ""
    known: tuple[Measurement | Attribute, ...] = (*kind.measurements, *kind.attributes) if kind else ()
    for declared in known:
        if declared.name == name:
            return declared.label.get(language, name), declared.unit
    call = _CALL.fullmatch(name)
    if call is None or call[1] not in _FUNCTIONS:
        return name, ""
    inner, unit = _label(call[2], kind, language, labels) if call[2] else ("", "")
    return _FUNCTIONS[call[1]][language].replace("{x}", inner), _UNITS.get(call[1], unit)


def _plain(value: object, truth: bool, language: str) -> str:
    if value is None:
        return "–"
    if truth:
        return _TRUTH[language][bool(value)]
    return f"{value:.6g}" if isinstance(value, float) else str(value)
