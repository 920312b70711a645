"""What an alert says when it is read."""

from __future__ import annotations

from typing import Any

from rules.explain.sentence import sentence
from tests.unit.rules.readings import KINDS

TEMPLATE = {
    "en": "Fire in {device}: {temperature_c:.0f} °C",
    "fr": "Feu dans {device} : {temperature_c:.0f} °C",
    "ar": "حريق في {device}: {temperature_c:.0f} °م",
}
STORED = {"en": "as stored", "fr": "tel quel", "ar": "كما خزن"}
BEGAN = {"values": {"temperature_c": 65.2}, "limits": {}}


def _said(newest: dict[str, Any] | None, **changed: Any) -> Any:
    given: dict[str, Any] = {
        "template": TEMPLATE,
        "stored": STORED,
        "names": {"device": "bin-7", "municipality": "tripoli"},
        "evidence": BEGAN,
        "first": BEGAN,
        "newest": newest,
        "kind": KINDS["bin"],
    }
    given |= changed
    template = given.pop("template")
    return sentence(template, **given)


def test_open_alert_says_the_newest_value_and_the_first_beside_it() -> None:
    said = _said({"temperature_c": 420.0, "fill_pct": 3.0})

    assert said.summary["en"] == "Fire in bin-7: 420 °C"
    assert said.began["fr"] == "Feu dans bin-7 : 65 °C"
    assert said.course == {
        "en": "420 °C now, 65 °C when it began",
        "fr": "420 °C à présent, 65 °C au début",
        "ar": "420 °م الآن، 65 °م عند البدء",
    }


def test_device_is_called_as_it_is_in_each_language() -> None:
    names = {"device": {"en": "Square 7", "fr": "Place 7", "ar": "ساحة 7"}, "municipality": "tripoli"}
    silent = {"en": "{device} is silent", "fr": "{device} se tait", "ar": "{device} صامت"}

    burning, quiet = _said(None, names=names), _said(None, names=names, template=silent)

    assert burning.summary["fr"] == "Feu dans Place 7 : 65 °C"
    assert quiet.summary == {"en": "Square 7 is silent", "fr": "Place 7 se tait", "ar": "ساحة 7 صامت"}


def test_nothing_is_said_of_a_course_where_it_reads_the_same() -> None:
    said = _said({"temperature_c": 65.4})

    assert said.summary["en"] == "Fire in bin-7: 65 °C"
    assert said.began is None
    assert said.course is None


def test_ended_alert_says_what_it_said() -> None:
    said = _said(None)

    assert said.summary["en"] == "Fire in bin-7: 65 °C"
    assert said.course is None


def test_severity_that_rose_leaves_the_first_value_beside_the_newest() -> None:
    said = _said({"temperature_c": 90.0}, evidence={"values": {"temperature_c": 80.0}})

    assert said.course["en"] == "90 °C now, 65 °C when it began"


def test_computed_value_is_not_mixed_with_newer_measurements() -> None:
    template = {"en": "{device} is dark: {power_w:.1f} W instead of {expected_w:.0f} W"}
    evidence = {"values": {"power_w": 0.0, "expected_w": 90.0}}

    said = _said({"power_w": 44.0}, template=template, evidence=evidence, first=evidence, kind=KINDS["light"])

    assert said.summary["en"] == "bin-7 is dark: 0.0 W instead of 90 W"
    assert said.course["en"] == "44.0 W now, 0.0 W when it began"


def test_limit_beside_a_measurement_is_still_true() -> None:
    template = {"en": "{power_w:.0f} W of {rated_power_w:.0f} W"}
    evidence = {"values": {"power_w": 5.0}, "limits": {"rated_power_w": 90.0}}

    said = _said({"power_w": 7.0}, template=template, evidence=evidence, first=evidence, kind=KINDS["light"])

    assert said.summary["en"] == "7 W of 90 W"


def test_what_the_evidence_lacks_is_told_as_it_was_stored() -> None:
    for template in (TEMPLATE, {"en": "no {template"}, {"en": "nothing named"}):
        said = _said({"temperature_c": 420.0}, template=template, evidence={}, first={}, kind=None)

        assert said.summary == STORED
        assert said.began is None
        assert said.course is None


def test_value_that_is_marked_is_no_news() -> None:
    bit = KINDS["bin"].measurement("temperature_c").bit

    said = _said({"temperature_c": 6553.5}, quality=1 << bit)
    other = _said({"temperature_c": 70.0}, quality=2 << bit)

    assert said.summary["en"] == "Fire in bin-7: 65 °C"
    assert said.course is None
    assert other.summary["en"] == "Fire in bin-7: 70 °C"


def test_beginning_that_is_not_known_is_not_told() -> None:
    said = _said({"temperature_c": 90.0}, first={"values": {}})

    assert said.summary["en"] == "Fire in bin-7: 90 °C"
    assert said.began is None
    assert said.course is None


def test_missing_measurement_leaves_the_sentence() -> None:
    said = _said({"temperature_c": None})

    assert said.summary["en"] == "Fire in bin-7: 65 °C"
