"""Sentences about alerts: templates such as "Bin {device} is {fill_pct:.0f}% full", checked and filled in.

Pure. A template can name values and round them, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Any

from rules.definition.definition import Text
from rules.definition.errors import RuleError, closest

NAMES = ("device", "municipality")
"""Names every sentence may use beside measurements, attributes and `let`."""

_FORMAT = re.compile(r"(\.\d{1,2}f)?")
_MISSING = "–"
TRUTHS: Mapping[str, tuple[str, str]] = {"en": ("no", "yes"), "fr": ("non", "oui"), "ar": ("لا", "نعم")}
"""Words for false and true in each language."""


def names_in(template: str) -> list[str]:
    """Return the names a template uses.

    Raises:
        RuleError: it is not a template, or asks for more than values and rounding.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise RuleError(f"in {template!r}: {error}") from None
    names = []
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if conversion or not name.isidentifier() or not _FORMAT.fullmatch(spec or ""):
            raise RuleError(f"{{{name}}}: write a name, or a name and decimals such as {{fill_pct:.0f}}")
        names.append(name)
    return names


def check(template: str, known: Mapping[str, object]) -> list[str]:
    """Return the names of a template that stand for values.

    Raises:
        RuleError: a name is unknown.
    """
    names = [n for n in names_in(template) if n not in NAMES]
    for name in names:
        if name not in known:
            raise RuleError(f"nothing is called {{{name}}}", suggestion=closest(name, [*known, *NAMES]))
    return names


def render(summary: Text, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the sentence in every language; a value that is missing shows as a dash."""
    return {language: _fill(template, values, language) for language, template in summary.items()}


def _fill(template: str, values: Mapping[str, Any], language: str) -> str:
    filled = []
    for text, name, spec, _ in Formatter().parse(template):
        filled.append(text)
        if name is not None:
            filled.append(_value(values.get(name), spec or "", language))
    return "".join(filled)


def _value(value: object, spec: str, language: str) -> str:
    if value is None:
        return _MISSING
    if isinstance(value, bool):
        return TRUTHS[language][value]
    return format(float(value), spec) if spec and isinstance(value, int | float) else str(value)
