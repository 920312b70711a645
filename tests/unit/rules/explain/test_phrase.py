"""Conditions in words: whatever the rules that are delivered ask is said without an expression."""

from __future__ import annotations

import re

import pytest

from devices.kinds import load
from devices.texts.languages import LANGUAGES, Language
from rules.explain.phrase import phrase
from rules.explain.terms import leaves
from rules.explain.wording import labels_of
from rules.loading.files import default_packs

KINDS = load()
BLOCKED = {"en": "sensor blocked", "fr": "capteur bouché", "ar": "حساس محجوب"}
LABELS = labels_of(KINDS["bin"], {"blocked": BLOCKED})


@pytest.mark.parametrize(
    ("expression", "language", "said"),
    [
        ("fill_pct >= 85", "en", "Fill at least 85"),
        ("fill_pct >= 85 and not blocked", "fr", "Remplissage au moins 85 et (faux : capteur bouché)"),
        ("fill_pct < attr(overflow_at, 85)", "ar", "الامتلاء أقل من overflow_at"),
        ("rate(temperature_c, '2h') > 5", "en", "rate of change of Temperature above 5"),
        ("fill_pct in (1, 2)", "ar", "الامتلاء من بين: 1، 2"),
        ("abs(fill_pct - 3) > -2", "en", "Fill − 3, up or down above −2"),
        ("count(fill_pct > 80, '2h') == 3", "en", "how often within 2 h: Fill above 80 is 3"),
        ("local_time 20:00-06:00", "en", "local_time 20:00-06:00"),
    ],
)
def test_condition_is_told_in_words(expression: str, language: Language, said: str) -> None:
    assert phrase(expression, LABELS, language) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_delivered_rule_is_told_as_an_expression(language: Language) -> None:
    for rule in default_packs(KINDS):
        labels = labels_of(KINDS.get(rule.kind or ""), rule.labels)
        for condition in rule.levels.values():
            for leaf in leaves(condition):
                said = phrase(leaf.text, labels, language)
                assert not re.search(r"\w\(|[<>=]=?|\battr\b|\"", said), (rule.id, said)
