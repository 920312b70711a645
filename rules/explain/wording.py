"""A condition for people: labels in place of names, and joining words in the reader's language.

Pure. The condition itself stands beside it wherever somebody may want to change the rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from devices.kinds.kind import Attribute, Conclusion, Kind, Measurement
from devices.texts.catalogue import text
from devices.texts.languages import Language
from rules.definition.definition import Text

JOINING = ("and", "or", "not", "in", "true", "false")
"""Words of the expression language that are told in the reader's language."""
_SIGNS: Mapping[str, str] = {">=": "≥", "<=": "≤", "!=": "≠", "==": "="}
_TOKEN = re.compile(
    r"""(?P<text>"[^"]*"|'[^']*') | attr\(\s*(?P<attribute>\w+)\s*(?:,[^()]*)?\)"""
    r""" | (?<!\w)(?P<name>(?:and|or|not|in)\b | [A-Za-z_]\w*(?!\w|\s*\()) | (?P<sign>[<>=!]=)""",
    re.VERBOSE,
)


def labels_of(kind: Kind | None, own: Mapping[str, Text]) -> dict[str, Text]:
    """Return the labels of everything an expression of a rule may name; the rule's own win."""
    return {**{one.name: one.label for one in declared(kind) if one.label}, **own}


def declared(kind: Kind | None) -> tuple[Measurement | Attribute | Conclusion, ...]:
    """Return what a kind declares with a label, nothing where the kind is not known."""
    return (*kind.measurements, *kind.attributes, *kind.conclusions) if kind else ()


def in_words(expression: str, labels: Mapping[str, Text], language: Language) -> str:
    """Return an expression with labels instead of names; functions and texts stay as they are written."""

    def said(found: re.Match[str]) -> str:
        name = found["attribute"] or found["name"]
        if name in labels:
            return labels[name].get(language, name)
        if found["name"]:
            return text(language, f"expression.{name}") if name in JOINING else name
        return _SIGNS[found["sign"]] if found["sign"] else found[0]

    return _TOKEN.sub(said, expression)
