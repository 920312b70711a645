"""Explanations: every term with its truth, since when, why undecided, and what is still missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.transition import Severity
from devices.columns import Columns
from devices.registry.registry import Device, Municipality, Registry
from devices.texts.languages import LANGUAGES
from rules.engine.snapshot import OpenAlert
from rules.explain.document import document
from rules.explain.explain import DeviceStatus, HistoryStart, explain
from rules.explain.explanation import Explanation, RuleStatus, Term, TruthValue, UndecidedCause
from rules.explain.texts import rows, sentences
from rules.language.program import Rule
from rules.loading.files import parse
from tests.unit.rules.readings import BIN, KINDS, MINUTE, NOON, Reading, at, columns_of, rule

TOWN = Municipality(
    id=1,
    name="tripoli",
    title={},
    time_zone="Asia/Beirut",
    locale="ar-LB",
    weekend=(6, 7),
    lat=34.4,
    lon=35.8,
    register_unknown=False,
)
DEVICE = Device(id=1, name="B-1", kind="bin", municipality="tripoli", municipality_id=1)
REGISTRY = Registry(devices={1: DEVICE}, by_name={"B-1": DEVICE}, municipalities={"tripoli": TOWN})
OVERFLOW = (
    "levels: {warning: fill_pct >= 85, critical: fill_pct >= 95}\nclear: fill_pct < 70\nfor: 3 readings"
)


def explained(
    body: str,
    *readings: Reading,
    past: HistoryStart | None = None,
    alert: int | None = None,
    silent: int | None = None,
) -> Explanation:
    (definition,) = parse(rule(body), KINDS)
    columns: Columns = columns_of(readings)
    present = DeviceStatus(
        device_id=1,
        device="B-1",
        at=NOON + 3600 * 1_000_000,
        alert=alert,
        severity=Severity.WARNING if alert else None,
        opened_at=NOON if alert else None,
        silent_since=silent,
    )
    rule_ = Rule(definition=definition, version=3)
    return explain(BIN, rule_, REGISTRY, columns, past or HistoryStart(), present)


def term(explanation: Explanation, text: str) -> Term:
    return next(t for t in explanation.terms if t.text == text)


def test_pending_rule_says_how_many_readings_are_missing() -> None:
    found = explained(OVERFLOW, at(0, fill_pct=50), at(10, fill_pct=90), at(20, fill_pct=91))

    assert found.status is RuleStatus.PENDING
    assert found.severity is Severity.WARNING
    assert found.since == NOON + 10 * MINUTE
    assert found.missing is not None
    assert found.missing.readings == 1
    warning = term(found, "fill_pct >= 85")
    assert (warning.value, warning.limit, warning.truth) == (91, 85, TruthValue.TRUE)
    assert warning.since == NOON + 10 * MINUTE
    assert term(found, "fill_pct >= 95").truth is TruthValue.FALSE


def test_pending_rule_says_how_much_time_is_missing() -> None:
    body = "levels: {major: tilt_deg > 45}\nfor: 30m\nmax_gap: 1h"

    found = explained(body, at(0, tilt_deg=60), at(10, tilt_deg=60))

    assert found.missing is not None
    assert found.missing.lasting_us == 20 * MINUTE
    assert found.missing.restarts_after == NOON + 70 * MINUTE


def test_firing_rule_says_what_ends_it() -> None:
    found = explained(OVERFLOW, *(at(10 * i, fill_pct=90) for i in range(3)), at(30, fill_pct=60), alert=7)

    assert found.status is RuleStatus.FIRING
    assert found.alert == 7
    assert found.since == NOON
    assert found.clear == "fill_pct < 70"
    assert found.ends_missing is not None
    assert found.ends_missing.readings == 2


def test_firing_rule_is_unknown_while_its_device_is_silent() -> None:
    found = explained(
        OVERFLOW, *(at(10 * i, fill_pct=90) for i in range(3)), alert=7, silent=NOON + 40 * MINUTE
    )

    assert found.status is RuleStatus.UNKNOWN
    assert term(found, "fill_pct >= 85").truth is TruthValue.TRUE


def test_alert_older_than_the_history_is_taken_from_the_database() -> None:
    past = HistoryStart(alerts=(OpenAlert(rule="r", device_id=1, severity=Severity.WARNING),))

    found = explained(OVERFLOW, at(0, fill_pct=80), past=past, alert=7)

    assert found.status is RuleStatus.FIRING
    assert [level.reached for level in found.levels] == [True, False]


def test_rule_without_a_run_is_inactive() -> None:
    found = explained(OVERFLOW, at(0, fill_pct=10))

    assert found.status is RuleStatus.INACTIVE
    assert found.missing is None


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        (at(10, temperature_c=1), UndecidedCause.MISSING),
        (at(10, fill_pct=99, marked=("fill_pct",)), UndecidedCause.SUSPECT),
    ],
)
def test_undecided_term_says_which_value_is_to_blame(reading: Reading, why: UndecidedCause) -> None:
    found = explained(OVERFLOW, at(0, fill_pct=90), reading)

    undecided = term(found, "fill_pct >= 85")
    assert undecided.truth is TruthValue.UNDECIDED
    assert [(r.why, r.name) for r in undecided.reasons] == [(why, "fill_pct")]


def test_undecided_term_says_so_when_there_is_no_past_to_compare_with() -> None:
    found = explained("levels: {warning: 'rate(temperature_c, \"1m\") > 5'}", at(0, temperature_c=20))

    (only,) = found.terms
    assert only.truth is TruthValue.UNDECIDED
    assert only.reasons[0].why is UndecidedCause.NO_PAST


def test_undecided_term_names_what_a_function_measures_with() -> None:
    found = explained("levels: {minor: 'away_m() > attr(moved_m, 30)'}", at(0, temperature_c=20))

    assert [(r.why, r.name) for r in found.terms[0].reasons] == [
        (UndecidedCause.MISSING, "lat"),
        (UndecidedCause.MISSING, "lon"),
    ]


def test_undecided_term_looks_through_names_given_by_let() -> None:
    found = explained("let: {full: fill_pct / 100}\nlevels: {warning: full > 0.85}", at(0, temperature_c=20))

    assert found.terms[0].reasons[0].name == "fill_pct"


def test_late_reading_does_not_count() -> None:
    found = explained(OVERFLOW, at(10, fill_pct=90), at(5, fill_pct=10))

    assert found.late_last
    assert found.observed_at == NOON + 10 * MINUTE
    assert term(found, "fill_pct >= 85").truth is TruthValue.TRUE


def test_reading_before_the_watermark_does_not_count() -> None:
    found = explained(OVERFLOW, at(5, fill_pct=99), past=HistoryStart(watermark=NOON + 10 * MINUTE))

    assert found.observed_at is None
    assert found.status is RuleStatus.INACTIVE


def test_gate_shows_what_time_it_is_where_the_device_stands() -> None:
    found = explained('levels: {warning: fill_pct > 1}\nwhen: {local_time: "22:00-06:00"}', at(0, fill_pct=9))

    assert found.gate is TruthValue.FALSE
    assert term(found, "local_time 22:00-06:00").value == "15:00"
    assert found.status is RuleStatus.INACTIVE


def test_gate_shows_where_the_sun_stands() -> None:
    found = explained("levels: {warning: fill_pct > 1}\nwhen: {sun: night}", at(0, fill_pct=9))

    (_, sun) = found.terms
    assert isinstance(sun.value, float)
    assert 20 < sun.value < 60
    assert sun.truth is TruthValue.FALSE


def test_device_without_readings_is_said_to_have_none() -> None:
    found = explained(OVERFLOW)

    assert found.observed_at is None
    assert found.terms == ()
    assert "sent no reading" in " ".join(sentences(found, "en"))


def test_sentences_exist_in_every_language() -> None:
    cases = [
        explained(OVERFLOW, at(0, fill_pct=90)),
        explained(OVERFLOW, *(at(10 * i, fill_pct=90) for i in range(3)), alert=7),
        explained(OVERFLOW, *(at(10 * i, fill_pct=90) for i in range(3)), alert=7, silent=NOON),
        explained(
            "levels: {warning: fill_pct > 1}\nwhen: {sun: night}", at(0, fill_pct=9), at(-5, fill_pct=9)
        ),
    ]

    for case in cases:
        said = {language: sentences(case, language) for language in LANGUAGES}
        assert len({len(s) for s in said.values()}) == 1
        assert document(case)["sentences"] == said
        assert not any("{" in sentence for s in said.values() for sentence in s)


def test_times_are_told_on_the_clocks_of_the_town() -> None:
    found = explained(OVERFLOW, at(0, fill_pct=90), at(10, fill_pct=91))
    local = replace(found, time_zone="Asia/Beirut")

    assert "has held since 2025-10-09 12:00:00Z" in sentences(found, "en")[0]
    assert "has held since 2025-10-09 15:00:00+03:00" in sentences(local, "en")[0]
    assert "\u20682025-10-09 15:00:00+03:00\u2069" in sentences(local, "ar")[0]
    assert rows(local, "fr")[0][5] == "2025-10-09 15:00:00+03:00"
    assert document(local)["observed_at"] == "2025-10-09T12:10:00Z"


def test_condition_that_ends_it_is_told_in_the_readers_words() -> None:
    found = explained(OVERFLOW, *(at(10 * i, fill_pct=90) for i in range(3)), alert=7)
    labelled = replace(found, labels={"fill_pct": {"en": "Fill", "fr": "Remplissage", "ar": "الامتلاء"}})

    assert any("Remplissage en dessous de 70" in one for one in sentences(labelled, "fr"))
    assert document(labelled)["clear"] == "fill_pct < 70"
    assert document(labelled)["terms"][0]["said"]["ar"] == "الامتلاء لا يقل عن 85"
