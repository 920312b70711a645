"""`nabd bench compare`: what it says of two versions, and what it refuses to say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.results.compare import NO_DIFFERENCE, FigureComparison, IngestComparison, compare
from bench.results.files import NotComparable, read
from bench.results.summary import IngestRuns, IngestSummary
from bench.throughput.raw_copy import RawCopy
from nabd.cli import app
from tests.unit.bench.results.builders import DRAIN, LONG, MACHINE, drains, in_turns, loop, summary, write


def of(found: IngestComparison, figure: str, unit: str = "messages/s") -> FigureComparison:
    """Return one figure's line."""
    (one,) = (f for f in found.figures if (f.figure, f.unit) == (figure, unit))
    return one


def one_drain(**different: Any) -> list[IngestSummary]:
    """Return a line with a single drain."""
    return [summary(IngestRuns(drain=drains(100)), **different)]


def test_six_pairs_that_all_go_one_way_are_faster() -> None:
    found = compare(
        in_turns([100, 110, 90, 100, 95, 105], after=False),
        in_turns([104, 120, 95, 109, 99, 112], after=True),
    )
    rate = of(found, "drain")

    assert (rate.verdict, rate.shown, rate.p) == ("faster", True, 0.03125)
    assert rate.spread == (1.04, 1.0909)
    assert rate.interval == rate.spread
    assert of(found, "drain: ingest", "CPU us a message").verdict == NO_DIFFERENCE  # the same in all
    assert not any("turns" in note for note in found.notes)


def test_more_is_worse_where_less_is_better() -> None:
    usual = [replace(DRAIN, cpu_us={"ingest": us}, memory_mb=100 + us) for us in range(1, 7)]
    dearer = [replace(DRAIN, cpu_us={"ingest": 2.0 * us}, memory_mb=90.0) for us in range(1, 7)]

    found = compare([summary(IngestRuns(drain=usual))], [summary(IngestRuns(drain=dearer))])

    assert of(found, "drain: ingest", "CPU us a message").verdict == "more CPU"
    assert of(found, "drain: ingest", "MB").verdict == "less memory"


def test_bytes_of_readings_are_compared_where_both_sides_tell_them() -> None:
    usual = [summary(IngestRuns(drain=[DRAIN] * 6))]
    smaller = [summary(IngestRuns(drain=[replace(DRAIN, wal_bytes_per_reading=110.0)] * 6))]
    silent = [replace(DRAIN, wal_bytes_per_reading=None, table_bytes_per_reading=None)] * 6

    found = compare(usual, smaller)
    assert (of(found, "drain: WAL", "bytes a reading").ratio, found.pairs) == (0.5, 6)
    assert of(found, "drain: WAL", "bytes a reading").verdict == "fewer bytes"
    assert of(found, "drain: indexes", "bytes a reading").ratio == 1

    names = {one.figure for one in compare(usual, [summary(IngestRuns(drain=silent))]).figures}
    assert "drain: indexes" in names
    assert not {"drain: WAL", "drain: tables"} & names


def test_pairs_that_go_both_ways_show_no_difference() -> None:
    found = compare(in_turns([100] * 7, after=False), in_turns([130, 90, 120, 80, 110, 95, 105], after=True))

    assert of(found, "drain").verdict == NO_DIFFERENCE
    assert of(found, "drain").ratio == 1.05


def test_verdict_never_contradicts_the_interval_where_pairs_are_equal() -> None:
    found = compare(
        in_turns([100] * 10, after=False),
        in_turns([101, 102, 103, 104, 105, 106, 100, 100, 100, 100], after=True),
    )
    rate = of(found, "drain")

    assert rate.interval is not None
    assert rate.interval[0] == 1
    assert (rate.verdict, rate.shown) == (NO_DIFFERENCE, False)


def test_few_pairs_show_nothing_however_far_apart_they_are() -> None:
    found = compare(in_turns([100] * 5, after=False), in_turns([200] * 5, after=True))

    assert of(found, "drain").verdict == "faster in all, but 5 pairs are too few to show a difference"
    assert not of(found, "drain").shown
    assert found.notes == ["A difference takes 6 pairs at least, better ten."]


def test_of_lines_with_several_runs_the_median_counts() -> None:
    sides = [[summary(IngestRuns(drain=drains(*rates)))] * 2 for rates in ((90, 100, 500), (200, 210, 220))]

    assert of(compare(*sides), "drain").ratios == [2.1, 2.1]


def test_runs_that_were_not_measured_in_turns_are_compared_and_it_says_so() -> None:
    sides = [[summary(IngestRuns(drain=drains(100, 110)), measured_at=at)] for at in (1, 2)]

    found = compare(*sides)

    assert of(found, "drain").ratios == [1, 1]
    assert found.notes[0].startswith("Not measured in turns")


def test_latencies_at_other_loads_are_left_out() -> None:
    sides = [
        [summary(IngestRuns(drain=drains(100), open={"50 % of drain": [loop(rate, p99)]}))]
        for rate, p99 in ((1000, 20), (1200, 25))
    ]

    found = compare(*sides)

    assert not any("open loop" in one.figure for one in found.figures)
    assert "open loop at 50 % of drain: left out, the loads differ by more than 5%" in found.notes[1]


def test_latencies_at_the_same_load_are_compared() -> None:
    sides = [[summary(IngestRuns(open={"1,000/s": [loop(1000, p99)]}))] for p99 in (20, 25)]

    assert of(compare(*sides), "open loop at 1,000/s, to commit: p99", "ms").ratio == 1.25


def test_long_runs_are_compared_with_those_of_the_same_length_and_share_alone() -> None:
    def line(**different: float) -> list[IngestSummary]:
        return [summary(IngestRuns(drain=drains(100), long=[replace(LONG, **different)]))]  # type: ignore[arg-type]

    alike, longer, faster = line(), line(seconds=7200.0), line(percent_of_drain=50.0)

    found = compare(alike, alike)
    assert of(found, "long run of 1,800 s at 70 % of drain, last minutes: p99", "ms").ratio == 1
    assert of(found, "long run of 1,800 s at 70 % of drain: ingest", "MB").ratio == 1
    assert "long run of 1,800 s at 70 % of drain: left out" in compare(alike, line(rate=2000.0)).notes[1]
    for other in (longer, faster):
        assert not any("long run" in one.figure for one in compare(alike, other).figures)


def test_raw_copy_that_differs_too_tells_that_the_machine_does() -> None:
    copies = [
        {"5000": [RawCopy(batch_messages=5000, messages_per_s=r, readings_per_s=r, database_cpu_us=2.0)] * 6}
        for r in (100.0, 90.0)
    ]

    found = compare(*[[summary(IngestRuns(copy=copy))] for copy in copies])

    assert of(found, "raw COPY, 5000 a batch").verdict == "slower"
    assert "What is not Nabd's differs too (raw COPY, peers): so did the machine." in found.notes


@pytest.mark.parametrize(
    ("different", "why"),
    [
        ({"messages": 200}, "messages differs: 100 and 200"),
        ({"traffic": "plain"}, "traffic differs: mixed and plain"),
        ({"rules": "off"}, "rules differs: default and off"),
        ({"devices": 20}, "devices differs: 10 and 20"),
        ({"machine": MACHINE | {"cpu": "Slide Rule"}}, "cpu differs: Abacus and Slide Rule"),
        ({"machine": MACHINE | {"postgres": "17"}}, "postgres differs"),
        ({"compiled": False}, "compiled code differs: with and without"),
    ],
)
def test_what_was_measured_otherwise_is_refused(different: dict[str, Any], why: str) -> None:
    with pytest.raises(NotComparable, match=why):
        compare(one_drain(), one_drain(**different))


def test_lines_that_do_not_tell_of_compiled_code_are_compared_and_it_says_so() -> None:
    notes = compare(one_drain(compiled=None), one_drain()).notes

    assert any("do not tell whether ingest had compiled code" in note for note in notes)
    assert not any("compiled code" in note for note in compare(one_drain(), one_drain()).notes)


def test_how_busy_the_machine_was_before_does_not_matter() -> None:
    assert compare(one_drain(), one_drain(machine=MACHINE | {"load_before": "7.0"})).pairs == 1


def test_different_numbers_of_lines_or_runs_cannot_be_paired() -> None:
    with pytest.raises(NotComparable, match="2 lines before and 1 after"):
        compare(one_drain() * 2, one_drain())
    with pytest.raises(NotComparable, match="drain, messages/s: 1 runs before and 2 after"):
        compare(one_drain(), [summary(IngestRuns(drain=drains(1, 2)))])
    with pytest.raises(NotComparable, match="no figure stands in both"):
        compare(one_drain(), [summary(IngestRuns())])


@pytest.mark.parametrize("wrong", [{"lost": 1}, {"stored": 103}])
def test_file_whose_readings_do_not_balance_is_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    runs = IngestRuns(drain=[DRAIN, replace(DRAIN, **wrong)])  # type: ignore[arg-type]

    with pytest.raises(NotComparable, match=r"line 1: drain, run 2: 110 readings were sent, of"):
        read(write(tmp_path / "found.json", [summary(runs)]))


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    with pytest.raises(NotComparable, match="No such file"):
        read(file)
    for text, why in (("", "empty"), ("{}", "not lines that"), ('{"drain_per_s": 1}\n', "not lines that")):
        file.write_text(text)
        with pytest.raises(NotComparable, match=why):
            read(file)


def test_command_prints_a_verdict_a_figure_or_one_object(tmp_path: Path) -> None:
    before = write(tmp_path / "before.json", in_turns([100, 110, 90, 100, 95, 105], after=False))
    after = write(tmp_path / "after.json", in_turns([50, 55, 45, 50, 40, 52], after=True))
    command = ["bench", "compare", str(before), str(after)]

    shown = CliRunner().invoke(app, command)
    found = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)

    assert shown.exit_code == 0
    assert any(
        line.split()[0] == "drain" and line.rstrip().endswith("slower")
        for line in shown.stdout.splitlines()
        if line.strip()
    )
    assert {one["verdict"] for one in found["figures"] if one["figure"] == "drain"} == {"slower"}
    assert found["pairs"] == 6


def test_command_that_cannot_compare_says_why_and_fails(tmp_path: Path) -> None:
    before = write(tmp_path / "before.json", one_drain())
    after = write(tmp_path / "after.json", one_drain(rules="off"))

    result = CliRunner().invoke(app, ["bench", "compare", str(before), str(after)])

    assert result.exit_code == 1
    assert "rules differs: default and off; measure both alike" in result.stderr
