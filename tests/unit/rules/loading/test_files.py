"""Rule files: what is accepted, and what a person reads who made a mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alerts.transition import Severity
from devices.kinds import load
from rules.definition.definition import Gate, Hold, MaxGap, Silent, WorkDemand
from rules.definition.errors import RulesRefused
from rules.definition.one_of import OneOf
from rules.loading.files import default_packs, parse, parse_stored, read_files
from tests.unit.rules.readings import KINDS

GOOD = """\
- id: bin-overflow
  kind: bin
  summary: {en: "{device}: {fill_pct:.0f}%", fr: "{device}", ar: "{device}"}
  levels:
    warning: fill_pct >= attr(overflow_at, 85)
    critical: fill_pct >= 95
  clear: fill_pct < 70
  for: 2 readings
  max_gap: 2h
  keep_firing: 10m
  when: {local_time: "22:00-06:00", sun: night}
  suppress_by: [circuit-down]
  late: raise
  use_suspect: true
  route: waste
"""
SUMMARY = "summary: {en: a, fr: b, ar: c}"


def mistakes(text: str) -> list[str]:
    """Return what is wrong with a file called bins.yaml."""
    with pytest.raises(RulesRefused) as refused:
        parse(text, KINDS, file="bins.yaml")
    return [str(error) for error in refused.value.errors]


def test_file_becomes_a_definition_with_everything_it_says() -> None:
    (d,) = parse(GOOD, KINDS)

    assert list(d.levels) == [Severity.WARNING, Severity.CRITICAL]
    assert (d.hold, d.keep_firing) == (Hold(readings=2), Hold(lasting_us=600_000_000))
    assert d.max_gap == MaxGap(intervals=0, fixed_us=7_200_000_000)
    assert d.when == Gate(local_from_min=1320, local_to_min=360, sun="night")
    assert (d.late, d.use_suspect, d.route, d.suppress_by) == ("raise", True, "waste", ("circuit-down",))


def test_definition_reads_back_the_same_from_what_the_database_keeps() -> None:
    for definition in [*parse(GOOD, KINDS), *default_packs(KINDS)]:
        (again,) = parse(json.dumps(definition.source, ensure_ascii=False), KINDS)
        assert again == definition


def test_stored_rule_is_compiled_once_for_the_same_kinds_and_anew_for_others() -> None:
    source = parse(GOOD, KINDS)[0].source
    others = {name: kind for name, kind in KINDS.items() if name != source["kind"]}

    assert parse_stored(source, dict(KINDS)) is parse_stored(dict(source), load())
    with pytest.raises(RulesRefused, match="there is no kind"):
        parse_stored(source, others)
    assert parse_stored(source, KINDS).id == source["id"]


def test_keep_firing_is_as_long_as_for_when_it_is_not_given() -> None:
    (d,) = parse(GOOD.replace("  keep_firing: 10m\n", ""), KINDS)

    assert d.keep_firing == Hold(readings=2)


def test_sweep_rule_says_what_silence_is() -> None:
    text = f"id: quiet\nkind: any\n{SUMMARY}\nsilent: {{missing: 3 intervals}}\n"

    (d,) = parse(text, KINDS)

    assert d.kind is None
    assert d.silent == Silent(intervals=3, at_least_us=0, severity=Severity.MINOR)


QUIET = """\
id: quiet
kind: drone
summary: {en: a, fr: b, ar: c}
silent: {missing: 3 intervals, after: 'flight_phase in ("transit", "landing")'}
"""


def test_silence_may_count_only_after_what_a_device_said_last() -> None:
    (d,) = parse(QUIET, KINDS)

    assert d.silent is not None
    assert d.silent.after == OneOf(measurement="flight_phase", one_of=("transit", "landing"))


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('"landing"', '"landed"', "flight_phase is never 'landed'; did you mean landing?"),
        ("flight_phase", "fligt_phase", "drone has no text 'fligt_phase'; did you mean flight_phase?"),
        ("in (", "== (", 'expected flight_phase in ("...", "..."), not'),
        ("kind: drone", "kind: any", "any kind has no text 'flight_phase'"),
    ],
)
def test_mistake_in_what_was_said_last_is_told(old: str, new: str, mistake: str) -> None:
    with pytest.raises(RulesRefused) as refused:
        parse(QUIET.replace(old, new), KINDS)

    assert mistake in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("kind: bin", "kind: bim", "bins.yaml:2:9: there is no kind bim; did you mean bin?"),
        ("clear:", "cleer:", "bins.yaml:7:3: a rule has no key 'cleer'; did you mean clear?"),
        ("critical:", "critcal:", "bins.yaml:6:5: critcal is not a severity; did you mean critical?"),
        (
            "clear: fill_pct",
            "clear: fil_pct",
            "bins.yaml:7:10: bin-overflow, clear: bin measures no fil_pct; did you mean fill_pct?",
        ),
        (
            "critical: fill_pct >= 95",
            'critical: "fill_pct >= 95 and tilt"',
            "bins.yaml:6:35: bin-overflow, levels.critical: bin measures no tilt; did you mean tilt_deg?",
        ),
        (
            "{fill_pct:.0f}",
            "{fil_pct:.0f}",
            "bins.yaml:3:17: bin-overflow, summary.en: nothing is called {fil_pct}; did you mean fill_pct?",
        ),
        ("for: 2 readings", "for: 2 weeks", "bins.yaml:8:8: for: '2 weeks' is not a duration such as 90s"),
        ("for: 2 readings", "for: 2 redings", "10m, 2h or 3d; did you mean 2 readings?"),
        ("for: 2 readings", "for: 5 minutes", "did you mean 5m?"),
        ("for: 2 readings", "for: 2 weeks", "did you mean 14d?"),
        ("max_gap: 2h", "max_gap: 3 intervls", "did you mean 3 intervals?"),
        ("late: raise", "late: rise", "did you mean raise?"),
        ("sun: night", "sun: nigth", "did you mean night?"),
        ('fr: "{device}"', 'fra: "{device}"', "summary is in en, fr, ar, not fra; did you mean fr?"),
        (
            "critical: fill_pct >= 95",
            'critical: flt(fill_pct, "1h", 2)',
            "no function flt; did you mean flat?",
        ),
        ("critical: fill_pct >= 95", 'critical: flat(fill_pct, "90 mins", 2)', "did you mean 90m?"),
        ("critical: fill_pct >= 95", 'critical: flat(fill_pct, "9 redings", 2)', "did you mean 9 readings?"),
        ("critical: fill_pct >= 95", "critical: distance_m < 9", "did you mean distance_mm?"),
        ("for: 2 readings", "for: [1]", "bins.yaml:8:8: for is one value"),
        ("late: raise", "late: maybe", "bins.yaml:13:9: late is record or raise, not maybe"),
        ("22:00-06:00", "22-6", "'22-6' is not a span such as 22:00-06:00; did you mean 22:00-06:00?"),
        ("sun: night", "sun: dusk", "bins.yaml:11:42: sun is day or night, not dusk"),
        (', ar: "{device}"', "", "bins.yaml:3:12: summary has no ar"),
        ("sun: night", "days: weekends", "bins.yaml:11:43: days is weekend or workdays, not weekends"),
        (
            "clear:",
            "labels: {fil: {en: a, fr: b, ar: c}}\n  clear:",
            "labels: no `let` or attribute is called fil",
        ),
        ("id: bin-overflow", "id: Bin", "bins.yaml:1:7: 'Bin': an id is a-z, 0-9 and -"),
        ("  kind: bin\n", "", "bins.yaml:1:3: kind is missing"),
        ("{device}:", "{device!r}:", "write a name, or a name and decimals"),
        ("  clear: fill", "  clear: [fill", "bins.yaml:8:"),
        ("clear:", "work: {mak: true}\n  clear:", "bins.yaml:7:10: work has no 'mak'; did you mean make?"),
        ("clear:", "work: {make: ture}\n  clear:", "bins.yaml:7:16: work.make is true or false, not ture"),
        ("clear:", "work: {make: true, from: mayor}\n  clear:", "bins.yaml:7:28: work.from: mayor is not a"),
        ("clear:", "work: {from: major}\n  clear:", "work.from is for rules that make work"),
        (
            "clear:",
            "work: {verify_within: 2 nigths}\n  clear:",
            "bins.yaml:7:25: work.verify_within: '2 nigths'",
        ),
        ("clear:", "work: {verify_within: 2 nigths}\n  clear:", "did you mean 2 nights?"),
        ("clear:", "work: true\n  clear:", "bins.yaml:7:9: work is a list of keys with one value each"),
    ],
)
def test_mistake_is_told_with_file_line_column_and_suggestion(old: str, new: str, mistake: str) -> None:
    assert old in GOOD

    found = mistakes(GOOD.replace(old, new))
    assert any(mistake in one for one in found), found


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    text = GOOD.replace("late: raise", "late: maybe").replace("fill_pct", "fil_pct").replace("bin-", "1-")

    lines = sorted(int(mistake.split(":")[1]) for mistake in mistakes(text))

    assert lines == [1, 3, 5, 6, 7, 13]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("critical: fill_pct >= 95", "critcal: fil_pct >= 95", "bins.yaml:6:14: bin-overflow, levels."),
        ("critical: fill_pct >= 95", "xyz: fil_pct >= 95", "bins.yaml:6:10: bin-overflow, levels."),
        ("clear: fill_pct < 70", "cleer: fil_pct < 70", "bins.yaml:7:10: bin-overflow, clear"),
        ("sun: night", "conditon: fil_pct < 70", "bins.yaml:11:47: bin-overflow, when.condition"),
        ("kind: bin\n", "kind: bim\n  let: {x: fil_pct + 1}\n", "bins.yaml:3:12: bin-overflow, let.x"),
        ("- id: bin-overflow\n  kind: bin", "- kind: bin\n  let: {x: fil_pct + 1}", "bins.yaml:2:12: let.x"),
        ("critical: fill_pct >= 95", "critical: tilt > 3 and fil_pct > 3", "bins.yaml:6:28: bin-overflow"),
        (
            "  levels",
            "  let: {a: tilt > 3, b: a and fil_pct > 3}\n  levels",
            "bins.yaml:4:31: bin-overflow, let.b",
        ),
    ],
)
def test_mistake_does_not_hide_the_one_beneath_or_beside_it(old: str, new: str, place: str) -> None:
    assert old in GOOD

    found = mistakes(GOOD.replace(old, new, 1))

    assert len(found) >= 2
    assert any(place in one and "fil_pct; did you mean fill_pct?" in one for one in found), found


def test_mistakes_are_told_in_the_order_of_the_file() -> None:
    text = GOOD.replace("late: raise", "late: maybe").replace("fill_pct", "fil_pct").replace("bin-", "1-")

    places = [tuple(map(int, mistake.split(":")[1:3])) for mistake in mistakes(text)]

    assert places == sorted(places)
    assert len(places) > 5


def test_every_mistake_of_a_sweep_rule_is_told() -> None:
    summary = "summary: {en: a, fr: b, ar: c}"
    text = (
        f"id: full\nkind: bin\nfamily: swep\n{summary}\nforecast: {{measurement: fil_pct, reaches: many}}\n"
    )

    assert [one.partition(": ")[2] for one in mistakes(text)] == [
        "family is sweep, not swep; did you mean sweep?",
        "bin measures no number fil_pct; did you mean fill_pct?",
        "forecast, reaches: 'many' is not a number",
    ]


def test_silence_is_told_what_was_meant() -> None:
    silent = "silent: {missing: 3 intervls, at_least: 2 mins, severity: majr}"

    assert [
        one.partition("mean ")[2]
        for one in mistakes(f"id: a\nkind: any\nsummary: {{en: a, fr: b, ar: c}}\n{silent}")
    ] == [
        "3 intervals?",
        "2m?",
        "major?",
    ]


def test_id_may_be_used_once() -> None:
    assert "bins.yaml:16:7: bin-overflow is the id of an earlier rule" in mistakes(GOOD + GOOD)


@pytest.mark.parametrize("text", ["", "[]", "- 3", "just text", "- {}", "\t", "a: [", "- id: x\n  id: x"])
def test_nonsense_is_refused_without_a_traceback(text: str) -> None:
    assert mistakes(text)


def test_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(RulesRefused, match=r"nowhere\.yaml: cannot be read"):
        read_files([tmp_path / "nowhere.yaml"], KINDS)


def test_a_rule_says_what_it_asks_of_work() -> None:
    asked = GOOD.replace("clear:", "work: {make: true, from: major, verify_within: 2 nights}\n  clear:")
    (found, *_), plain = parse(asked, KINDS), parse(GOOD, KINDS)[0]
    assert found.work.from_severity is Severity.MAJOR
    assert str(found.work.verify_within) == "2 nights"
    assert plain.work == WorkDemand()
    made = parse(GOOD.replace("clear:", "work: {make: true}\n  clear:"), KINDS)[0]
    assert made.work == WorkDemand(from_severity=Severity.WARNING)
