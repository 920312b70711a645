"""What a name in evidence is called in the reader's language: a measurement, a limit, a function of either.

Pure. Labels come from the kind's declaration, from the rule's `labels`, and otherwise from the catalogue.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from devices.kinds.kind import Kind
from devices.texts.catalogue import text
from devices.texts.languages import Language
from rules.definition.definition import Text
from rules.explain.phrase import phrase, window
from rules.explain.wording import declared, labels_of

CALL = re.compile(r"(\w+)\(.*\)", re.DOTALL)
"""How evidence names what a function came to."""
FUNCTIONS: Mapping[str, str | None] = {
    "delta": None,
    "rate": None,
    "trend": None,
    "baseline": None,
    "total": None,
    "flat": "",
    "frozen": "",
    "interleaved": "",
    "suspect": "",
    "empty": "",
    "count": "",
    "n_of": "",
    "sun": "deg",
    "lag": "s",
    "away_m": "m",
}
"""Functions that have words, and their unit; None: that of what they look at."""
SWEPT: Mapping[str, str] = {
    "firmware": "",
    "wanted": "",
    "silent_min": "min",
    "silent_s": "s",
    "refused_min": "min",
    "refused": "",
    "reason": "",
    "interval_s": "s",
    "missing_h": "h",
    "missing": "",
    "children": "",
    "apart": "",
    "down": "",
    "dark": "",
    "silent": "",
    "share": "",
    "value": "",
    "median": "",
    "neighbours": "",
    "off_by": "",
    "rate_per_h": "",
    "hours": "h",
    "hours_p80": "h",
    "samples": "",
    "reaches": "",
    "within_h": "h",
}
"""What sweep rules put into evidence, and its unit; a kind's own name wins."""


def label_of(name: str, kind: Kind | None, language: Language, labels: Mapping[str, Text]) -> tuple[str, str]:
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
    if name in SWEPT:
        return text(language, f"swept.{name}"), SWEPT[name]
    call, given = CALL.fullmatch(name), _arguments(name)
    if call is None or given is None or call[1] not in FUNCTIONS:
        return phrase(name, labels_of(kind, labels), language), ""
    function, (inner, *rest) = call[1], given or [""]
    label, inner_unit = label_of(inner, kind, language, labels) if inner else ("", "")
    over = window(rest[-1], language) if rest else ""
    said = text(language, f"function.{function}", x=label, w=over, n=rest[0] if rest else "")
    unit = FUNCTIONS[function]
    if function == "rate" and inner_unit and rest:
        return said, f"{inner_unit}/{_per(rest[-1])}"
    return said, inner_unit if unit is None else unit


def _per(window: str) -> str:
    """Return the unit of time of a rate: "min" of "1m", "5 min" of "5m"."""
    number, letter = window[:-1], window[-1:]
    time = {"m": "min"}.get(letter, letter)
    return time if number == "1" else f"{number} {time}"


def _arguments(name: str) -> list[str] | None:
    """Return the arguments of a call as they are written, texts without quotes; None of anything else."""
    try:
        found = ast.parse(name, mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(found, ast.Call):
        return None
    return [str(a.value) if isinstance(a, ast.Constant) else ast.unparse(a) for a in found.args]
