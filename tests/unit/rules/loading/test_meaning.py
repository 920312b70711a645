"""Rules that compile and cannot be meant: each is refused with the range, the overlap or what was meant."""

from __future__ import annotations

import pytest

from devices.kinds import load
from rules.catalogue.suppressors import warn_of_unknown
from rules.definition.errors import RulesRefused
from rules.loading.files import PACKS, default_packs, parse, read_files

KINDS = load()
RULE = """\
id: full
kind: bin
summary: {en: a, fr: b, ar: c}
levels: {warning: fill_pct >= 85, critical: fill_pct >= 95}
clear: fill_pct < 70
"""


def refused(text: str) -> str:
    with pytest.raises(RulesRefused) as error:
        parse(text, KINDS, file="bins.yaml")
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "fill_pct >= 95",
            "battery_v < 3500",
            "full, levels.critical: battery_v is 0 to 5 V: < 3500",
        ),
        ("fill_pct >= 95", "3500 > battery_v", "battery_v is 0 to 5 V: < 3500 always holds"),
        ("fill_pct >= 95", "fill_pct > 100", "fill_pct is 0 to 100 %: > 100 never holds"),
        ("fill_pct >= 95", '"fill_pct > attr(overflow_at, 850)"', "> 850 never holds"),
        ("fill_pct >= 95", "20 < fill_pct < 101", "< 101 always holds"),
        ("fill_pct >= 95", "fill_pct >= 80 + 0.5", "levels.warning: never seen: wherever it holds, critical"),
        ("fill_pct < 70", "fill_pct < 90", "5:8: full, clear: fill_pct 85 fulfils it and raises"),
        ("fill_pct < 70", "fill_pct < 95 and battery_v > 3", "clear: battery_v"),
        ("{en: a", '{en: "{{ $value }}"', "summary.en: a value is written in single braces"),
        ("clear:", 'when: {local_time: "22:00-22:00"}\nclear:', "no minute lies in it"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(old: str, new: str, said: str) -> None:
    assert old in RULE
    found = refused(RULE.replace(old, new))
    assert said in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fill_pct < 70", "fill_pct < 85"),
        ("fill_pct >= 95", "fill_pct >= 85 and tilt_deg > 60"),
        ("fill_pct >= 95", "fill_pct >= 100"),
        ("clear:", "use_suspect: true\nclear:"),
        ("fill_pct < 70", "fill_pct < 90 and delta(fill_pct) < 0"),
        ("clear:", "let: {x: fill_pct + 1}\nclear:"),
    ],
)
def test_what_may_be_meant_is_taken(old: str, new: str) -> None:
    assert old in RULE
    assert parse(RULE.replace(old, new), KINDS)


def test_names_made_of_each_other_many_times_over_are_judged_in_no_time() -> None:
    let = ", ".join(f"x{i}: x{i + 1} + x{i + 1}" for i in range(50))
    (rule,) = parse(
        RULE.replace("clear:", f"let: {{{let}, x50: fill_pct}}\nclear:").replace(">= 95", ">= 95 and x0 > 1"),
        KINDS,
    )
    assert len(rule.let) == 51


def test_rules_that_were_stored_before_go_on() -> None:
    assert parse(RULE.replace("fill_pct < 70", "fill_pct < 90"), KINDS, stored=True)


def test_the_default_rules_can_all_be_meant() -> None:
    assert len(read_files(sorted(PACKS.glob("*.yaml")), KINDS)) == len(default_packs(KINDS))


def test_an_id_in_suppress_by_that_no_rule_has_is_told_with_the_nearest() -> None:
    rules = parse(RULE.replace("clear:", "suppress_by: [bin-fyre, bin-fire, full]\nclear:"), KINDS)

    (warning,) = warn_of_unknown(rules, [d.id for d in default_packs(KINDS)])

    assert (warning.rule, warning.message) == (
        "full",
        "suppress_by: no rule is called bin-fyre; did you mean bin-fire?",
    )
