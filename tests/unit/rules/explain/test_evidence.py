"""Evidence as people read it."""

from __future__ import annotations

import json

import pytest

from devices.kinds.kind import Kind
from devices.texts.languages import LANGUAGES, Language
from devices.texts.units import symbol
from rules.definition.definition import Text
from rules.definition.family_syntax import FAMILIES
from rules.definition.summary import render
from rules.explain.evidence import EvidenceTerm, labelled, terms
from rules.language.program import Rule, compile_rule
from rules.loading.files import PACKS, default_packs
from tests.unit.rules.readings import KINDS, Evaluator, at, rule


def test_evidence_is_told_in_the_readers_language_with_labels_and_units() -> None:
    evidence = {"values": {"fill_pct": 91.5, "delta(tilt_deg)": 3.0}, "limits": {"overflow_at": 85.0}}

    assert terms(evidence, KINDS["bin"], "fr") == [
        EvidenceTerm(name="fill_pct", label="Remplissage", value="91.5", unit="%", limit=False),
        EvidenceTerm(
            name="delta(tilt_deg)", label="variation : Inclinaison", value="3", unit="deg", limit=False
        ),
        EvidenceTerm(name="overflow_at", label="overflow_at", value="85", unit="", limit=True),
    ]


@pytest.mark.parametrize(
    ("name", "unit", "said"),
    [
        ('rate(temperature_c, "1m")', "Cel/min", "°C/min"),
        ("rate(distance_mm, '1h')", "mm/h", "mm/h"),
        ("rate(temperature_c, '5m')", "Cel/5 min", "°C/5 min"),
        ("delta(temperature_c)", "Cel", "°C"),
    ],
)
def test_rate_is_told_per_time(name: str, unit: str, said: str) -> None:
    (term,) = terms({"values": {name: 5.0}}, KINDS["bin"], "en")

    assert term.unit == unit
    assert symbol(unit, "en") == said


@pytest.mark.parametrize(
    ("name", "language", "label"),
    [
        ("n_of(frozen('1h'), 1, 2)", "en", "at least 1× within 2 readings: values do not move"),
        (
            "n_of(distance_mm <= 9 and tilt_deg > 60, 1, '30d')",
            "fr",
            "au moins 1×, 30 j : Distance au plus 9 et Inclinaison au-dessus de 60",
        ),
        ("count(fill_pct > 80, '3 readings')", "ar", "عدد المرات خلال 3 قراءات: الامتلاء أكثر من 80"),
        ("flat(distance_mm, '24h', 5)", "en", "Distance does not move"),
        ("n_of(", "en", "n_of("),
        (
            "n_of(delta(fill_pct) > attr(overflow_at, 85), 2, 3)",
            "en",
            "at least 2× within 3 readings: change of Fill above overflow_at",
        ),
        (
            "count(sun() > 3 and fill_pct > 1, '2h')",
            "fr",
            "nombre de fois, 2 h : hauteur du soleil au-dessus de 3 et Remplissage au-dessus de 1",
        ),
    ],
)
def test_functions_are_told_in_words_with_what_they_look_at(
    name: str, language: Language, label: str
) -> None:
    (term,) = terms({"values": {name: 1.0}}, KINDS["bin"], language)

    assert term.label == label


def test_truths_and_missing_values_are_words() -> None:
    evidence = {"values": {'frozen("24h")': 1.0, "lag()": None}}

    assert [t.value for t in terms(evidence, None, "ar")] == ["نعم", "–"]


def test_evidence_is_told_in_every_language_at_once() -> None:
    value, truth = labelled({"values": {"fill_pct": 91.5, 'frozen("24h")': 1.0}}, KINDS["bin"])

    assert (value.label["fr"], value.value["ar"], value.raw, value.unit) == ("Remplissage", "91.5", 91.5, "%")
    assert truth.value == {"en": "yes", "fr": "oui", "ar": "نعم"}


TRUTHS = rule(
    """
let: {full: fill_pct > 85, cold: temperature_c < 0, tipped: tilt_deg > 60}
levels: {minor: "full and not known(cold, false) and not known(tipped, false)"}
clear: not full
"""
)


def test_truths_that_a_rule_calculates_are_told_as_truths() -> None:
    (fired,) = Evaluator(TRUTHS).feed(at(0, fill_pct=90, temperature_c=20))

    values = fired.evidence["values"]
    assert (values["full"], values["cold"], values["tipped"]) == (True, False, None)
    assert type(values["full"]) is type(values["cold"]) is bool
    said = {t.name: t.value for t in terms(fired.evidence, None, "fr")}
    assert (said["full"], said["cold"], said["tipped"]) == ("oui", "non", "–")
    assert json.loads(json.dumps(values))["full"] is True


def test_truth_in_a_sentence_is_a_word() -> None:
    sentence: Text = dict.fromkeys(LANGUAGES, "{full}, {cold}, {tipped}")

    said = render(sentence, {"full": True, "cold": False, "tipped": None})

    assert said == {"en": "yes, no, –", "fr": "oui, non, –", "ar": "نعم, لا, –"}


@pytest.mark.parametrize(("silent_s", "shown"), [(12, "silent_s"), (720, "silent_min")])
def test_silence_is_told_once_in_the_fitting_unit(silent_s: int, shown: str) -> None:
    values = {"silent_min": silent_s / 60, "silent_s": silent_s}

    assert [t.name for t in terms({"values": values}, KINDS["bin"], "en")] == [shown]


@pytest.mark.parametrize("family", FAMILIES)
def test_everything_sweep_rules_tell_has_words(family: str) -> None:
    for name in FAMILIES[family].values:
        (term,) = labelled({"values": {name: 1.0}}, None)
        assert len({name, *term.label.values()}) >= 3, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_default_rules_label_everything_they_calculate(language: Language) -> None:
    for definition in default_packs(KINDS):
        for name in definition.let:
            kind = KINDS.get(definition.kind or "")
            (term,) = terms({"values": {name: 1.0}}, kind, language, definition.labels)
            assert term.label != name, (definition.id, name)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
def test_default_rules_label_every_limit_that_a_device_may_have_of_its_own(kind: Kind) -> None:
    definitions = [d for d in default_packs(KINDS) if d.levels and d.kind in (None, kind.name)]
    for definition in definitions:
        for name in compile_rule(kind, Rule(definition=definition, version=1)).limits:
            for language in LANGUAGES:
                (term,) = terms({"limits": {name: 1.0}}, kind, language, definition.labels)
                assert term.label != name, (definition.id, name, language)


def test_evidence_holds_what_the_rule_looked_at_and_the_devices_own_limits() -> None:
    text = (PACKS / "light.yaml").read_text(encoding="utf-8")
    readings = [at(600 + 15 * i, power_w=90, dim_pct=100, power_factor=0.8) for i in range(6)]

    (low,) = (
        t for t in Evaluator(text, KINDS["light"]).feed(*readings) if t.rule == "light-low-power-factor"
    )
    labels = next(d for d in default_packs(KINDS) if d.id == low.rule).labels

    labelled = {t.label: t.value for t in terms(low.evidence, KINDS["light"], "en", labels)}
    assert labelled["Power factor"] == "0.8"
    assert labelled["expected power factor"] == "0.975"
    assert labelled["Rated power"] == "90"
