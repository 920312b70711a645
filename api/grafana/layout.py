"""A dashboard's page drawn with letters, from its JSON: for the documents, and to see it without Grafana."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CELLS = 4
"""Letters for one of Grafana's 24 columns."""
LINES = 0.5
"""Lines for one of Grafana's rows, which are 38 pixels high."""
SIGNS: Mapping[str, str] = {
    "timeseries": "∿", "stat": "#", "table": "≡", "geomap": "◎", "state-timeline": "▬", "status-history": "▦",
}  # fmt: skip


def drawn(board: Mapping[str, Any]) -> str:
    """Return the page as lines of text: boxes with their titles, one sign for each shape of chart."""
    panels = board["panels"]
    headings = [panel["gridPos"]["y"] for panel in panels if panel["type"] == "row"]
    high = max(_line(panel["gridPos"]["y"] + panel["gridPos"]["h"], headings) for panel in panels)
    page = [[" "] * (24 * CELLS) for _ in range(high + 1)]
    for panel in panels:
        if panel["type"] == "row":
            _write(page, _line(panel["gridPos"]["y"], headings), 0, f"── {panel['title']} ──")
        else:
            _box(page, panel, headings)
    return "\n".join(line for line in ("".join(cells).rstrip() for cells in page) if line) + "\n"


def _line(y: int, headings: Sequence[int]) -> int:
    """Return the line of a row of Grafana's; each heading before it has a line of its own."""
    return round(y * LINES) + sum(1 for heading in headings if heading < y)


def _box(page: list[list[str]], panel: Mapping[str, Any], headings: Sequence[int]) -> None:
    at = panel["gridPos"]
    left, right = at["x"] * CELLS, (at["x"] + at["w"]) * CELLS - 1
    top, bottom = _line(at["y"], headings), _line(at["y"] + at["h"], headings) - 1
    for y in range(top, bottom):
        page[y][left] = page[y][right] = "│"
    for y, first, last in ((top, "┌", "┐"), (bottom, "└", "┘")):
        page[y][left : right + 1] = [first, *"─" * (right - left - 1), last]
    title = f" {SIGNS.get(panel['type'], '?')} {panel['title']} "
    _write(page, top, left + 1, title[: right - left - 1])


def _write(page: list[list[str]], y: int, x: int, text: str) -> None:
    page[y][x : x + len(text)] = list(text)
