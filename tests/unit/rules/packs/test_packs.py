"""What all default rules have in common."""

from __future__ import annotations

import pytest

from devices.texts.languages import LANGUAGES
from rules.definition.errors import RuleError
from rules.language.program import Rule, compile_rule
from rules.loading.files import default_packs
from tests.unit.rules.readings import KINDS


def test_default_rules_speak_three_languages_and_say_what_to_do() -> None:
    for definition in default_packs(KINDS):
        assert tuple(definition.summary) == LANGUAGES
        assert tuple(definition.runbook) == LANGUAGES
        assert len(set(definition.summary.values())) == 3


def test_rule_of_another_kind_is_refused_by_its_name() -> None:
    overflow = next(d for d in default_packs(KINDS) if d.id == "bin-overflow")

    with pytest.raises(RuleError, match="light measures no distance_mm"):
        compile_rule(KINDS["light"], Rule(definition=overflow, version=1))
