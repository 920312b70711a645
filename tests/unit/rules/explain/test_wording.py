"""Conditions in words."""

from __future__ import annotations

import re

import pytest

from devices.texts.languages import LANGUAGES, Language
from rules.explain.wording import in_words, labels_of
from rules.loading.files import default_packs
from tests.unit.rules.readings import BIN, KINDS

LABELS = {
    "fill_pct": {"en": "Fill level", "fr": "Remplissage", "ar": "الامتلاء"},
    "overflow_at": {"en": "Full from", "fr": "Plein à", "ar": "ممتلئ من"},
}


@pytest.mark.parametrize(
    ("expression", "language", "said"),
    [
        ("fill_pct >= attr(overflow_at, 85)", "en", "Fill level ≥ Full from"),
        (
            "fill_pct < 70 and not known(fill_pct, 0) == 1",
            "fr",
            "Remplissage < 70 et non known(Remplissage, 0) = 1",
        ),
        ("fill_pct < 70 or fill_pct > 90", "ar", "الامتلاء < 70 أو الامتلاء > 90"),
        ("begin(fill_pct) <= 0", "ar", "begin(الامتلاء) ≤ 0"),
        ("delta(fill_pct) != 0", "en", "delta(Fill level) ≠ 0"),
        ("mode in ('fill_pct', \"and\")", "fr", "mode parmi ('fill_pct', \"and\")"),
        ("attr(unheard_of, 3) > my_fill_pct", "en", "attr(unheard_of, 3) > my_fill_pct"),
        ("", "en", ""),
    ],
)
def test_expression_is_told_in_the_labels_of_what_it_names(
    expression: str, language: Language, said: str
) -> None:
    assert in_words(expression, LABELS, language) == said


def test_labels_are_those_of_the_kind_and_of_the_rule() -> None:
    overflow = next(d for d in default_packs(KINDS) if d.id == "bin-overflow")

    labels = labels_of(BIN, overflow.labels)

    assert {m.name for m in BIN.measurements} <= set(labels)
    assert set(overflow.labels) <= set(labels)


@pytest.mark.parametrize("language", LANGUAGES)
def test_conditions_of_the_default_rules_name_no_measurement_by_its_code(language: Language) -> None:
    for definition in [d for d in default_packs(KINDS) if d.levels]:
        for kind in [KINDS[definition.kind]] if definition.kind else KINDS.values():
            for condition in definition.levels.values():
                said = in_words(condition, labels_of(kind, definition.labels), language)
                codes = {m.name for m in kind.measurements if "_" in m.name}
                assert not codes & set(re.findall(r"\w+", said)), said
