"""Sentences about alerts: templates such as "Bin {device} is {fill_pct:.0f}% full", checked and filled in.

Pure. A template can name values and round them, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Any

from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES, Language
from rules.definition.definition import Text
from rules.definition.errors import RuleError, closest

NAMES = ("device", "municipality")
"""Names every sentence may use beside measurements, attributes and `let`."""

_FORMAT = re.compile(r"(\.\d{1,2}f)?")
_DECIMAL_MARK = ","
"""In French; a reader of Arabic has the digits of their country, which only their screen knows."""
_MISSING = "–"


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
    """Return the sentence in each language that it is in; a value that is missing shows as a dash.

    A value may be another in each language: a mapping by language.
    """
    return {one: _fill(summary[one], values, one) for one in LANGUAGES if one in summary}


def truth(language: Language, value: bool) -> str:
    """Return yes or no, as people say it of a value."""
    return text(language, "word.yes" if value else "word.no")


def number(value: float, spec: str, language: Language) -> str:
    """Return a number as the language writes it; `spec` as in a template, without one as it is."""
    written = format(float(value), spec) if spec else str(value)
    return written.replace(".", _DECIMAL_MARK) if language == "fr" else written


def _fill(template: str, values: Mapping[str, Any], language: Language) -> str:
    filled = []
    for before, name, spec, _ in Formatter().parse(template):
        filled.append(before)
        if name is not None:
            filled.append(_value(values.get(name), spec or "", language))
    return "".join(filled)


def _value(value: object, spec: str, language: Language) -> str:
    if isinstance(value, Mapping):
        value = value.get(language)
    if value is None:
        return _MISSING
    if isinstance(value, bool):
        return truth(language, value)
    return number(value, spec, language) if isinstance(value, int | float) else str(value)
