"""Evidence as people read it."""

from __future__ import annotations

import pytest

from rules.definition import LANGUAGES
from rules.evidence import Term, terms
from rules.files import PACKS, default_packs
from tests.unit.rules.readings import KINDS, Evaluator, at


def test_evidence_is_told_in_the_readers_language_with_labels_and_units() -> None:
    evidence = {"values": {"fill_pct": 91.5, "delta(tilt_deg)": 3.0}, "limits": {"overflow_at": 85.0}}

    assert terms(evidence, KINDS["bin"], "fr") == [
        Term(name="fill_pct", label="Remplissage", value="91.5", unit="%", limit=False),
        Term(name="delta(tilt_deg)", label="variation : Inclinaison", value="3", unit="deg", limit=False),
        Term(name="overflow_at", label="overflow_at", value="85", unit="", limit=True),
    ]


def test_truths_and_missing_values_are_words() -> None:
    evidence = {"values": {'frozen("24h")': 1.0, "lag()": None}}

    assert [t.value for t in terms(evidence, None, "ar")] == ["نعم", "–"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_default_rules_label_everything_they_calculate(language: str) -> None:
    for definition in default_packs(KINDS):
        for name in definition.let:
            (term,) = terms({"values": {name: 1.0}}, None, language, definition.labels)
            assert term.label != name, (definition.id, name)


def test_evidence_holds_what_the_rule_looked_at_and_the_devices_own_limits() -> None:
    text = (PACKS / "light.yaml").read_text(encoding="utf-8")
    readings = [at(600 + 15 * i, power_w=90, dim_pct=100, power_factor=0.8) for i in range(6)]

    (low,) = (
        t for t in Evaluator(text, KINDS["light"]).feed(*readings) if t.rule == "light-low-power-factor"
    )
    labels = next(d for d in default_packs(KINDS) if d.id == low.rule).labels

    told = {t.label: t.value for t in terms(low.evidence, KINDS["light"], "en", labels)}
    assert told["Power factor"] == "0.8"
    assert told["expected power factor"] == "0.975"
    assert told["Rated power"] == "90"
