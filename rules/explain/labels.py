"""What a name in evidence is called in the reader's language: a measurement, a limit, a function of either.

Pure. Labels come from the kind's declaration, from the rule's `labels`, and for functions from here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from devices.kinds.kind import Kind
from rules.definition.definition import Text
from rules.definition.durations import readings
from rules.explain.wording import declared, in_words, labels_of

CALL = re.compile(r"(\w+)\(.*\)", re.DOTALL)
"""How evidence names what a function came to."""
_FUNCTIONS: Mapping[str, Text] = {
    "delta": {"en": "change of {x}", "fr": "variation : {x}", "ar": "تغيّر {x}"},
    "rate": {"en": "rate of change of {x}", "fr": "vitesse de variation : {x}", "ar": "معدل تغيّر {x}"},
    "trend": {"en": "change of {x} per day", "fr": "variation par jour : {x}", "ar": "تغيّر {x} في اليوم"},
    "baseline": {"en": "usual {x}", "fr": "valeur habituelle : {x}", "ar": "القيمة المعتادة: {x}"},
    "total": {"en": "total of {x}", "fr": "total : {x}", "ar": "مجموع {x}"},
    "flat": {"en": "{x} does not move", "fr": "valeur figée : {x}", "ar": "{x} لا يتغيّر"},
    "frozen": {"en": "values do not move", "fr": "valeurs figées", "ar": "القيم لا تتغيّر"},
    "count": {
        "en": "how often within {w}: {x}",
        "fr": "nombre de fois, {w} : {x}",
        "ar": "عدد المرات خلال {w}: {x}",
    },
    "n_of": {
        "en": "at least {n}× within {w}: {x}",
        "fr": "au moins {n}×, {w} : {x}",
        "ar": "{n}× على الأقل خلال {w}: {x}",
    },
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


def label_of(name: str, kind: Kind | None, language: str, labels: Mapping[str, Text]) -> tuple[str, str]:
    """Return what something is called and its unit, empty where there is none; unknown names stay.

    Args:
        kind: of the device, None when it is not known.
        labels: the rule's own.
    """
    if name in labels:
        return labels[name].get(language, name), ""
    for one in declared(kind):
        if one.name == name:
            return one.label.get(language, name), one.unit
    if name in _SWEPT:
        return _SWEPT[name][0][language], _SWEPT[name][1]
    call, given = CALL.fullmatch(name), _arguments(name)
    if call is None or given is None or call[1] not in _FUNCTIONS:
        return in_words(name, labels_of(kind, labels), language), ""
    inner, *rest = given or [""]
    label, unit = label_of(inner, kind, language, labels) if inner else ("", "")
    said = _FUNCTIONS[call[1]][language].replace("{x}", label)
    if rest:
        said = said.replace("{w}", _window(rest[-1], language)).replace("{n}", rest[0])
    return said, _UNITS.get(call[1], unit)


def _arguments(name: str) -> list[str] | None:
    """Return the arguments of a call as they are written, texts without quotes; None of anything else."""
    try:
        found = ast.parse(name, mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(found, ast.Call):
        return None
    return [str(a.value) if isinstance(a, ast.Constant) else ast.unparse(a) for a in found.args]


def _window(window: str, language: str) -> str:
    """Return "30d" as it is, and "3 readings" or "3" in words."""
    number = int(window) if window.isdecimal() else readings(window)
    if number is None:
        return window
    match language, number:
        case "ar", 1:
            return "قراءة"
        case "ar", 2:
            return "قراءتين"
        case "ar", _:
            return f"{number} قراءات" if number <= 10 else f"{number} قراءة"
        case "fr", _:
            return f"{number} relevés" if number > 1 else "1 relevé"
    return f"{number} readings" if number > 1 else "1 reading"
