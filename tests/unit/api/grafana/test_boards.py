"""Dashboards as they are made: whole, in three languages, the same each time, known to the SDK."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.grafana import layout, lint, render, sdk
from api.grafana.board import Board, ColourStep
from api.grafana.limits import steps_of
from api.grafana.units import grafana_unit
from devices.kinds import load
from devices.texts.catalogue import group
from devices.texts.languages import LANGUAGES
from nabd.cli import app

FILES = Path(__file__).parents[4] / "deploy/grafana/dashboards"
KINDS = load()
BOARDS = render.all_boards(KINDS)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_dashboard_has_no_fault_and_the_sdk_reads_all_that_it_writes(board: Board) -> None:
    stored = sdk.dashboard_json(board)

    assert lint.faults(stored) == []
    assert sdk.read_again(stored) == stored
    assert stored["schemaVersion"] == 42


def test_boards_of_posted_marks_differ_in_their_annotations_only() -> None:
    for board in render.all_boards(KINDS, languages=["en"], posted=True):
        stored = sdk.dashboard_json(board)
        by_sql = sdk.dashboard_json(next(one for one in BOARDS if one.uid == board.uid))

        assert lint.faults(stored) == []
        assert sdk.read_again(stored) == stored
        assert "rawSql" not in str(stored.pop("annotations"))
        assert by_sql.pop("annotations") is not None
        assert stored == by_sql


def test_files_of_the_repository_are_what_the_kinds_declare() -> None:
    assert render.differing(render.files(KINDS), FILES) == [], "run `nabd grafana render`"


def test_boards_of_posted_marks_are_written_and_checked_by_the_command(tmp_path: Path) -> None:
    command = ["grafana", "render", "--directory", str(tmp_path)]

    written, current, other = (
        CliRunner().invoke(app, [*command, *more])
        for more in (["--annotations"], ["--annotations", "--check"], ["--check"])
    )

    assert (written.exit_code, current.exit_code, other.exit_code) == (0, 0, 1), written.output
    board = json.loads((tmp_path / "en/city.json").read_text(encoding="utf-8"))
    assert "rawSql" not in str(board["annotations"])
    assert f"run `nabd grafana render --directory {tmp_path}`" in other.output


def test_every_language_has_the_same_dashboards_with_other_words() -> None:
    by_language = {
        language: [board for board in BOARDS if board.language == language] for language in LANGUAGES
    }

    names = {tuple(board.name for board in boards) for boards in by_language.values()}
    titles = [board.title for boards in by_language.values() for board in boards]
    assert len(names) == 1
    assert len({board.uid for board in BOARDS}) == len(BOARDS)
    assert len(set(titles)) > len(titles) * 2 // 3


def test_every_kind_has_a_dashboard_and_one_for_a_single_device() -> None:
    names = {board.name for board in BOARDS}

    assert {name for kind in KINDS for name in (kind, f"{kind}-device")} < names


def test_limits_of_the_default_rules_colour_a_measurement() -> None:
    assert steps_of(KINDS["bin"], "fill_pct") == (
        ColourStep(value=None, colour="green"),
        ColourStep(value=85.0, colour="yellow"),
        ColourStep(value=95.0, colour="dark-red"),
    )


def test_unit_that_grafana_has_no_name_for_is_written_as_a_suffix() -> None:
    assert grafana_unit("L/har", "en") == "suffix: L/ha"
    assert grafana_unit("Cel", "ar") == "celsius"
    assert {
        grafana_unit(m.unit, "en") for kind in KINDS.values() for m in kind.measurements
    } <= lint.UNITS | {"suffix: L/ha"}


BROKEN: dict[str, tuple[Any, str]] = {
    "an id twice": (lambda b: b["panels"][1].update(id=1), "id 1 is used 2 times"),
    "an overlap": (lambda b: b["panels"][1]["gridPos"].update(x=0), "overlaps"),
    "beyond the page": (lambda b: b["panels"][0]["gridPos"].update(x=23), "does not fit"),
    "a unit of nobody": (
        lambda b: b["panels"][0]["fieldConfig"]["defaults"].update(unit="furlong"),
        "furlong",
    ),
    "a variable of nobody": (
        lambda b: b["panels"][0]["targets"][0].update(rawSql="SELECT $tenant"),
        "$tenant, which is no variable",
    ),
    "no span": (
        lambda b: next(p for p in b["panels"] if p["type"] == "timeseries")["targets"][0].update(
            rawSql="SELECT 1"
        ),
        "$__timeFilter is missing",
    ),
    "no description": (lambda b: b["panels"][0].update(description=""), "has no description"),
    "another language": (lambda b: b["panels"][0].update(description="عدد الأجهزة"), "another language"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_lint_finds(name: str) -> None:
    board = copy.deepcopy(sdk.dashboard_json(BOARDS[0]))
    spoil, complaint = BROKEN[name]
    spoil(board)

    assert any(complaint in fault for fault in lint.faults(board)), lint.faults(board)


def test_every_text_is_shown_on_a_dashboard_in_its_language() -> None:
    for language in LANGUAGES:
        shown = "".join(sdk.dashboard_text(board) for board in BOARDS if board.language == language)
        texts = {key: str(found) for key, found in group(language, "grafana").items()}
        parts = {key: max(found.split("{"), key=len).rpartition("}")[2] for key, found in texts.items()}

        assert [key for key, part in parts.items() if part not in shown] == []


def test_layout_draws_every_chart_of_a_page_once() -> None:
    drawn = layout.drawn(sdk.dashboard_json(BOARDS[0]))

    assert drawn.count("┌") == sum(len(section.charts) for section in BOARDS[0].sections)
    assert "── In the chosen span ──" in drawn
    assert "◎ Map" in drawn
