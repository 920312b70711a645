"""Every query of every dashboard, asked as a reader's account on both editions: columns and rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import asyncpg
import pytest

from api.grafana import lint, render
from api.grafana.board import Board, Chart, Shape
from api.grafana.sdk import dashboard_json
from store.edition import Edition, stored
from tests.integration.grafana.macros import Reader
from tests.integration.grafana.town import KINDS, last_day

BOARDS = render.all_boards(KINDS)
ENGLISH = [board for board in BOARDS if board.language == "en"]
TIMED = {Shape.TIME_SERIES, Shape.STATUS_HISTORY, Shape.STATE_TIMELINE}


def reader_of(edition: Edition, board: Board, **variables: str) -> Reader:
    """Return who looks at a dashboard: everything chosen, and the first device of its kind."""
    everything = {variable.name: "'*'" for variable in board.variables if variable.many}
    kind = board.constants.get("kind", "bin")
    return Reader(
        span=last_day(),
        variables={**everything, "device": f"saida-{kind}-1", **board.constants, **variables},
        timescale=edition is Edition.TIMESCALE,
    )


async def ask(connection: asyncpg.Connection, sql: str) -> tuple[list[str], list[asyncpg.Record]]:
    """Return names of columns, and rows."""
    statement = await connection.prepare(sql)
    return [column.name for column in statement.get_attributes()], await statement.fetch()


def wrong_with(chart: Chart, columns: list[str], rows: list[asyncpg.Record]) -> str | None:
    """Return what is wrong with an answer; None: nothing."""
    lacking = set(chart.columns) - set(columns)
    if chart.shape is Shape.STATUS_HISTORY:
        lacking = set()
    if lacking:
        return f"no column {lacking}, which has a name"
    if not rows:
        return "no row"
    if chart.shape in TIMED and columns[0] != "time":
        return f"first column is {columns[0]}, not time"
    if chart.shape is Shape.STAT and (len(rows) != 1 or any(value is None for value in rows[0])):
        return f"not one row of numbers: {rows}"
    if chart.shape is Shape.MAP and not {"lat", "lon", chart.coloured_by} <= set(columns):
        return f"a map of {columns}"
    if chart.shape is Shape.TIME_SERIES and all(value is None for value in list(rows[0].values())[1:]):
        return "a row without values"
    return None


async def test_every_query_answers_a_reader_with_its_columns_and_rows(
    platform: asyncpg.Connection,
) -> None:
    edition = await stored(platform)
    await platform.execute("SELECT keep_reader('nabd_grafana', NULL, 'secret')")
    await platform.execute("SET ROLE nabd_grafana")
    wrong: dict[str, str] = {}
    asked = 0
    for board in ENGLISH:
        reader = reader_of(edition, board)
        for section in board.sections:
            for chart in section.charts:
                asked += 1
                columns, rows = await ask(platform, reader.asks(chart.sql))
                if fault := wrong_with(chart, columns, rows):
                    wrong[f"{board.uid}: {chart.title}"] = fault
                if "$__interval_ms" in chart.sql:
                    asked += 1
                    columns, rows = await ask(platform, replace(reader, interval="1h").asks(chart.sql))
                    if fault := wrong_with(chart, columns, rows):
                        wrong[f"{board.uid}: {chart.title}, by hours"] = fault
        for variable in board.variables:
            asked += 1
            columns, rows = await ask(platform, reader.asks(variable.sql))
            if not rows or len(columns) != 1:
                wrong[f"{board.uid}: ${variable.name}"] = f"{columns}, {len(rows)} rows"
        for annotation in board.annotations:
            asked += 1
            columns, rows = await ask(platform, reader.asks(annotation.sql))
            if not rows or columns != ["time", "timeend", "text", "tags"]:
                wrong[f"{board.uid}: {annotation.name}"] = f"{columns}, {len(rows)} rows"

    print(f"{asked} queries of {len(ENGLISH)} dashboards answered on the {edition} edition")
    assert wrong == {}
    assert asked > 200


async def test_choosing_a_municipality_or_district_leaves_the_others_out(
    platform: asyncpg.Connection,
) -> None:
    edition = await stored(platform)
    for chosen in ({"municipality": "'saida'"}, {"district": "'saida-port'"}):
        for board in ENGLISH:
            if not {variable.name for variable in board.variables} >= set(chosen):
                continue
            reader = reader_of(edition, board, **chosen)
            for section in board.sections:
                for chart in section.charts:
                    if chart.shape in {Shape.TABLE, Shape.MAP}:
                        columns, rows = await ask(platform, reader.asks(chart.sql))
                        towns = (
                            {str(row["device"]).partition("-")[0] for row in rows}
                            if "device" in columns
                            else set()
                        )
                        assert towns <= {"saida"}, (board.uid, chart.title)


def test_other_languages_ask_the_same_queries() -> None:
    def asked(board: Board) -> list[str]:
        return [sql for _, sql in lint.queries(dashboard_json(board))]

    english: Mapping[str, list[str]] = {board.name: asked(board) for board in ENGLISH}

    for board in BOARDS:
        assert asked(board) == english[board.name], board.uid


@pytest.mark.parametrize("board", ENGLISH, ids=lambda board: board.uid)
def test_queries_in_the_files_are_those_of_the_boards(board: Board) -> None:
    charts = [chart.sql for section in board.sections for chart in section.charts]

    in_json = [sql for where, sql in lint.queries(dashboard_json(board)) if where.startswith("panel")]

    assert in_json == charts
