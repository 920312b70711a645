"""What made an alert fire, in the reader's language: labelled values and limits instead of their names.

Pure. Has no texts of its own, see rules.explain.labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.kinds.kind import Kind
from devices.texts.languages import LANGUAGES, Language
from rules.definition.definition import Text
from rules.definition.summary import truth
from rules.explain.labels import CALL, label_of

SECONDS_UNTIL = 120
_CONDITIONS = ("flat", "frozen", "n_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceTerm:
    """One value or limit. unit: as the kind declares it, empty where there is none."""

    name: str
    label: str
    value: str
    unit: str
    limit: bool


def terms(
    evidence: Mapping[str, Any],
    kind: Kind | None,
    language: Language,
    labels: Mapping[str, Text] | None = None,
) -> list[EvidenceTerm]:
    """Return the terms of a transition's evidence, values first.

    Args:
        kind: of the device; None leaves names as they are.
        language: of the reader.
        labels: the rule's own, for what it calls by `let`.
    """
    return [
        _term(name, value, part == "limits", kind, language, labels or {})
        for part, name, value in _members(evidence)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledValue:
    """One value or limit in every language. raw: as it was recorded; value: in words where it is a truth."""

    name: str
    label: Text
    value: Text
    raw: float | str | bool | None
    unit: str
    limit: bool


def labelled(
    evidence: Mapping[str, Any], kind: Kind | None, labels: Mapping[str, Text] | None = None
) -> list[LabelledValue]:
    """Return the terms of a transition's evidence in every language, values first; see `terms`."""
    each = {language: terms(evidence, kind, language, labels) for language in LANGUAGES}
    return [
        LabelledValue(
            name=name,
            label={language: each[language][index].label for language in LANGUAGES},
            value={language: each[language][index].value for language in LANGUAGES},
            raw=raw,
            unit=each["en"][index].unit,
            limit=part == "limits",
        )
        for index, (part, name, raw) in enumerate(_members(evidence))
    ]


def _members(evidence: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """Return part, name and value of what is shown; of `silent_s` and `silent_min` only the fitting one."""
    found = [
        (part, name, value) for part in ("values", "limits") for name, value in evidence.get(part, {}).items()
    ]
    silent_s = evidence.get("values", {}).get("silent_s")
    left_out = None if silent_s is None else "silent_s" if silent_s >= SECONDS_UNTIL else "silent_min"
    return [one for one in found if one[1] != left_out]


def _term(
    name: str, value: object, limit: bool, kind: Kind | None, language: Language, labels: Mapping[str, Text]
) -> EvidenceTerm:
    label, unit = label_of(name, kind, language, labels)
    call = CALL.fullmatch(name)
    decided = isinstance(value, bool) or (call is not None and call[1] in _CONDITIONS)
    return EvidenceTerm(
        name=name, label=label, value=_plain(value, decided, language), unit=unit, limit=limit
    )


def _plain(value: object, decided: bool, language: Language) -> str:
    if value is None:
        return "–"
    if decided:
        return truth(language, bool(value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
