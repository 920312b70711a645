"""What made an alert fire, in the reader's language: labelled values and limits instead of their names.

Pure. Labels come from the kind's declaration, from the rule's `labels`, and for functions from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.kinds.kind import Attribute, Kind, Measurement
from rules.definition import LANGUAGES, Text
from rules.summary import TRUTHS

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
_SWEPT: Mapping[str, tuple[Text, str]] = {
    "silent_min": ({"en": "silent for", "fr": "muet depuis", "ar": "صامت منذ"}, "min"),
    "silent_s": ({"en": "silent for", "fr": "muet depuis", "ar": "صامت منذ"}, "s"),
    "interval_s": ({"en": "expected interval", "fr": "intervalle attendu", "ar": "الفاصل المتوقع"}, "s"),
    "missing_h": ({"en": "missing for", "fr": "absent depuis", "ar": "غائب منذ"}, "h"),
    "missing": ({"en": "intervals allowed", "fr": "intervalles admis", "ar": "الفواصل المسموحة"}, ""),
    "children": ({"en": "devices below it", "fr": "appareils raccordés", "ar": "الأجهزة التابعة"}, ""),
    "down": ({"en": "of them down", "fr": "dont en panne", "ar": "المتوقفة منها"}, ""),
    "dark": ({"en": "of them dark", "fr": "dont éteints", "ar": "المطفأة منها"}, ""),
    "silent": ({"en": "of them silent", "fr": "dont muets", "ar": "الصامتة منها"}, ""),
    "share": (
        {"en": "share that is an outage", "fr": "part qui fait panne", "ar": "النسبة التي تعدّ عطلًا"},
        "",
    ),
    "value": ({"en": "value", "fr": "valeur", "ar": "القيمة"}, ""),
    "median": ({"en": "usual around it", "fr": "habituelle alentour", "ar": "المعتاد حوله"}, ""),
    "neighbours": ({"en": "neighbours", "fr": "voisins", "ar": "الجيران"}, ""),
    "off_by": ({"en": "distance allowed", "fr": "écart admis", "ar": "الفرق المسموح"}, ""),
    "rate_per_h": ({"en": "change per hour", "fr": "variation par heure", "ar": "التغيّر في الساعة"}, ""),
    "hours": ({"en": "expected in", "fr": "attendu dans", "ar": "متوقع خلال"}, "h"),
    "hours_p80": (
        {"en": "at the latest, 4 in 5", "fr": "au plus tard, 4 sur 5", "ar": "على الأكثر، 4 من 5"},
        "h",
    ),
    "samples": ({"en": "readings it rests on", "fr": "relevés utilisés", "ar": "القراءات المعتمدة"}, ""),
    "reaches": ({"en": "level forecast", "fr": "niveau prévu", "ar": "المستوى المتوقع"}, ""),
    "within_h": ({"en": "told when within", "fr": "signalé à moins de", "ar": "يُنبَّه خلال"}, "h"),
}
"""What sweep rules put into evidence; a kind's own name wins."""
_UNITS = {"sun": "deg", "lag": "s", "away_m": "m", "frozen": "", "flat": "", "count": "", "n_of": ""}
SECONDS_UNTIL = 120
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
        for part, name, value in _members(evidence)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One value or limit in every language. raw: as it was recorded; value: in words where it is a truth."""

    name: str
    label: Text
    value: Text
    raw: float | str | bool | None
    unit: str
    limit: bool


def told(
    evidence: Mapping[str, Any], kind: Kind | None, labels: Mapping[str, Text] | None = None
) -> list[Told]:
    """Return the terms of a transition's evidence in every language, values first; see `terms`."""
    each = {language: terms(evidence, kind, language, labels) for language in LANGUAGES}
    return [
        Told(
            name=name,
            label={language: each[language][place].label for language in LANGUAGES},
            value={language: each[language][place].value for language in LANGUAGES},
            raw=raw,
            unit=each["en"][place].unit,
            limit=part == "limits",
        )
        for place, (part, name, raw) in enumerate(_members(evidence))
    ]


def _members(evidence: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """Return part, name and value of what is told; of a silence in seconds and in minutes the fitting one."""
    found = [
        (part, name, value) for part in ("values", "limits") for name, value in evidence.get(part, {}).items()
    ]
    silent_s = evidence.get("values", {}).get("silent_s")
    spare = None if silent_s is None else "silent_s" if silent_s >= SECONDS_UNTIL else "silent_min"
    return [one for one in found if one[1] != spare]


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
    if name in _SWEPT:
        return _SWEPT[name][0][language], _SWEPT[name][1]
    call = _CALL.fullmatch(name)
    if call is None or call[1] not in _FUNCTIONS:
        return name, ""
    inner, unit = _label(call[2], kind, language, labels) if call[2] else ("", "")
    return _FUNCTIONS[call[1]][language].replace("{x}", inner), _UNITS.get(call[1], unit)


def _plain(value: object, truth: bool, language: str) -> str:
    if value is None:
        return "–"
    if truth:
        return TRUTHS[language][bool(value)]
    return f"{value:.6g}" if isinstance(value, float) else str(value)
