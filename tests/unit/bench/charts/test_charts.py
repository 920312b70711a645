"""`nabd bench charts`: which pictures are drawn, and that they say what was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from bench.charts.bars import PLOT_LEFT, PLOT_RIGHT, WIDTH, Bar, BarChart, BarSection, svg
from bench.charts.pictures import pictures
from bench.results.files import NotComparable
from bench.results.summary import IngestRuns
from bench.throughput.paths.slowest import PARTS
from bench.throughput.peers.compare import Peer
from bench.throughput.raw_copy import RawCopy
from bench.throughput.recorded import RecordedRun
from nabd.cli import app
from tests.unit.bench.results.builders import MACHINE, drains, loop, summary, write

SVG = "{http://www.w3.org/2000/svg}"

EVERYTHING = IngestRuns(
    recorded=[
        RecordedRun(cpu_us={"parse": 0.5, "decide": 1.5, "sum": 2.0}, rule_readings_per_s={}, encoded=[])
    ],
    copy={
        str(size): [RawCopy(batch_messages=size, messages_per_s=r, readings_per_s=r, database_cpu_us=3.0)]
        for size, r in ((5_000, 200_000.0), (10_000, 300_000.0))
    },
    drain=drains(80_000, 100_000, 90_000),
    fleets={"100000": drains(70_000), "5000": drains(90_000), "1000000": drains(60_000)},
    open={
        "25 % of drain": [replace(loop(20_000, 50), slowest_path_ms=dict.fromkeys(PARTS, 5.0))],
        "80 % of drain": [loop(70_000, 400), loop(72_000, 500)],
    },
    peers=[
        Peer(name="naive", messages_per_s=3_000.0),
        Peer(name="pipe", messages_per_s=120_000.0),
        Peer(name="careful", messages_per_s=14_000.0),
        Peer(name="telegraf", absent="telegraf is not on the PATH"),
    ],
)


def texts(picture: str) -> list[str]:
    """Return what a picture says, from top to bottom as it is drawn."""
    return [element.text or "" for element in ET.fromstring(picture).iter(f"{SVG}text")]


def test_everything_that_was_measured_is_drawn_in_a_picture_each() -> None:
    drawn = pictures([summary(EVERYTHING)])

    assert list(drawn) == [f"{name}-mixed.svg" for name in ("cost", "rates", "latency", "slowest", "devices")]
    for picture in drawn.values():
        said = texts(picture)
        assert "default rules, 100 messages a run" in said[1]
        assert said[2] == "Abacus, 2 cores, PostgreSQL 18.6, mosquitto 2.0.11; commit abc1234"
        assert ("of 10 devices" in said[1]) == (picture is not drawn["devices-mixed.svg"])
        assert said[-1] in ("microseconds of CPU a message", "messages a second", "milliseconds")


def test_drain_stands_beside_raw_copy_at_its_best_and_those_peers_that_were_there() -> None:
    said = texts(pictures([summary(EVERYTHING)])["rates-mixed.svg"])

    assert [
        text for text in said if text.startswith(("raw", "Nabd", "mosq", "Tele", "careful", "naive"))
    ] == [
        "raw COPY, 10,000 a batch",
        "Nabd, drain",
        "mosquitto_sub | psql",
        "careful: batches of 1,000",
        "naive: one INSERT a message",
    ]
    assert {"300,000", "90,000", "120,000"} <= set(said)


def test_costs_are_told_by_process_and_by_step_without_their_sum() -> None:
    said = texts(pictures([summary(EVERYTHING)])["cost-mixed.svg"])

    assert {"ingest", "broker", "database", "parse", "decide", "Raw COPY, 10,000 a batch"} <= set(said)
    assert not {"sum", "generator"} & set(said)


def test_latencies_are_told_at_each_rate_and_what_has_none_is_left_out() -> None:
    drawn = pictures([summary(EVERYTHING)])
    said = texts(drawn["latency-mixed.svg"])

    assert [text for text in said if text.startswith(("At", "to"))] == [
        *("At 25 % of drain: 20,000/s", "to commit, p50", "to commit, p99"),
        *("At 80 % of drain: 71,000/s", "to commit, p50", "to commit, p99"),  # no alert was measured
    ]
    assert [text for text in texts(drawn["slowest-mixed.svg"]) if text in PARTS] == list(PARTS)


def test_fleets_of_several_files_stand_in_one_picture_by_size() -> None:
    large = IngestRuns(fleets={"1000000": drains(60_000)})
    small = IngestRuns(fleets={"5000": drains(90_000), "100000": drains(70_000)})

    (picture,) = pictures([summary(large, messages=1000), summary(small)]).values()

    said = texts(picture)
    assert "1,000 and 100 messages a run" in said[1]
    assert [text for text in said if text[0].isdigit() and text.endswith("devices")] == [
        *("5,000 devices", "100,000 devices", "1,000,000 devices")
    ]


@pytest.mark.parametrize(
    ("different", "why"),
    [
        ({"messages": 200}, "messages differs: 100 and 200"),
        ({"commit": "def5678"}, "commit differs: abc1234 and def5678"),
        ({"compiled": False}, "compiled code differs: with and without"),
        ({"seed": 2}, "seed differs"),
    ],
)
def test_what_was_measured_differently_is_not_drawn_as_one(different: dict[str, Any], why: str) -> None:
    runs = IngestRuns(drain=drains(5))

    with pytest.raises(NotComparable, match=why):
        pictures([summary(runs), summary(runs, **different)])


def test_line_of_another_fleet_counts_for_the_picture_of_devices_alone() -> None:
    own = summary(IngestRuns(drain=drains(100_000), fleets={"10": drains(100_000), "99": drains(80_000)}))
    million = IngestRuns(drain=drains(60_000), fleets={"10": drains(55_000), "1000000": drains(60_000)})
    other = summary(million, devices=1_000_000, messages=1_000)

    drawn = pictures([own, other])

    assert drawn["cost-mixed.svg"] == pictures([own])["cost-mixed.svg"]
    said = texts(drawn["devices-mixed.svg"])
    assert {"10 devices", "99 devices", "1,000,000 devices", "100,000", "60,000"} <= set(said)
    assert not {"55,000", "77,500"} & set(said)  # of other messages than the first line's


def test_what_was_not_measured_is_not_drawn() -> None:
    assert list(pictures([summary(IngestRuns(drain=drains(5)))])) == ["cost-mixed.svg"]
    assert pictures([summary(IngestRuns())]) == {}


def test_other_traffic_and_rules_have_pictures_of_their_own_and_other_machines_are_refused() -> None:
    runs = IngestRuns(drain=drains(5))
    lines = [summary(runs), summary(runs, traffic="plain", rules="off"), summary(runs, rules="100")]

    assert list(pictures(lines)) == ["cost-mixed.svg", "cost-plain-rules-off.svg", "cost-mixed-rules-100.svg"]
    with pytest.raises(NotComparable, match="cores differs"):
        pictures([summary(runs), summary(runs, machine=MACHINE | {"cores": "4"})])


def test_bars_are_in_proportion_and_their_spread_is_a_line() -> None:
    bars = [
        Bar(name="half", value=50, low=40, high=60),
        Bar(name="whole & more", value=100, low=100, high=100),
        Bar(name="none", value=0, low=0, high=0),
    ]
    chart = BarChart(title="<t>", lines=["a"], unit="us", sections=[BarSection(heading="", bars=bars)])

    root = ET.fromstring(svg(chart))

    drawn = [e for e in root.iter(f"{SVG}rect") if e.get("class") == "ours"]
    plot = PLOT_RIGHT - PLOT_LEFT
    assert [float(e.get("width", "nan")) for e in drawn] == [plot / 2, plot, 0]
    spread = [e for e in root.iter(f"{SVG}line") if e.get("class") == "spread"]
    assert (spread[0].get("x1"), spread[0].get("x2")) == (
        str(PLOT_LEFT + plot * 0.4),
        str(PLOT_LEFT + plot * 0.6),
    )
    assert len(spread) == 3  # with an end at each side
    (description,) = [e.text for e in root.iter(f"{SVG}desc")]
    assert description == "a us: half 50.0, whole & more 100, none 0.00."


@pytest.mark.parametrize("most", [0.003, 0.4, 1, 7, 19.9, 123, 4_567, 399_999, 2_000_000])
def test_axis_ends_at_a_round_value_that_no_bar_goes_beyond(most: float) -> None:
    bar = Bar(name="bar", value=most, low=most, high=most)
    root = ET.fromstring(
        svg(BarChart(title="", lines=(), unit="", sections=[BarSection(heading="", bars=[bar])]))
    )

    ticks = [
        float((e.text or "").replace(",", ""))
        for e in root.iter(f"{SVG}text")
        if e.get("text-anchor") == "middle"
    ]
    assert 3 <= len(ticks) <= 7
    assert ticks[0] == 0
    assert most <= ticks[-1] <= 1.6 * most
    assert all(float(e.get("x", "0")) + float(e.get("width", "0")) <= WIDTH for e in root.iter(f"{SVG}rect"))


def test_command_writes_the_same_pictures_for_the_same_lines(tmp_path: Path) -> None:
    file = write(tmp_path / "found.json", [summary(EVERYTHING)])
    for place in ("one", "two"):
        done = CliRunner().invoke(app, ["bench", "charts", str(file), "--into", str(tmp_path / place)])
        assert done.exit_code == 0, done.stderr

    first, second = [
        {p.name: p.read_bytes() for p in (tmp_path / place).iterdir()} for place in ("one", "two")
    ]
    assert len(first) == 5
    assert first == second


def test_command_without_anything_to_draw_says_so(tmp_path: Path) -> None:
    file = write(tmp_path / "found.json", [summary(IngestRuns())])

    done = CliRunner().invoke(app, ["bench", "charts", str(file), "--into", str(tmp_path)])

    assert done.exit_code == 1
    assert "nothing to draw" in done.stderr
