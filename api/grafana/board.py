"""What a dashboard is: sections of charts on a page 24 columns wide. Pure; must not know Grafana's SDK.

Titles, descriptions and names are in the dashboard's language already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from devices.texts.languages import Language

COLUMNS = 24


class Shape(StrEnum):
    """How a chart looks. The values are Grafana's names of panels."""

    TIME_SERIES = "timeseries"
    STAT = "stat"
    TABLE = "table"
    MAP = "geomap"
    STATE_TIMELINE = "state-timeline"
    STATUS_HISTORY = "status-history"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourStep:
    """From this value on, this colour; None: from the lowest."""

    value: float | None
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardWord:
    """What is shown in place of a value, and in which colour; no colour: the usual one."""

    text: str
    colour: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardLink:
    """Where a click leads; `url` may name variables and fields as Grafana does."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardColumn:
    """How one column of a query is shown, where not as the chart says."""

    name: str
    unit: str | None = None
    words: Mapping[str, BoardWord] = field(default_factory=dict)
    colour: str | None = None
    link: BoardLink | None = None
    hidden: bool = False
    width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One panel. `unit` is Grafana's; `columns` by name in the query; a chart with `time` asks for a span."""

    shape: Shape
    title: str
    description: str
    sql: str
    width: int
    height: int
    unit: str = "short"
    decimals: int | None = None
    low: float | None = None
    high: float | None = None
    steps: tuple[ColourStep, ...] = ()
    words: Mapping[str, BoardWord] = field(default_factory=dict)
    columns: Mapping[str, BoardColumn] = field(default_factory=dict)
    links: tuple[BoardLink, ...] = ()
    stacked: bool = False
    coloured_by: str | None = None
    """Of a map: the column that decides the colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Charts under one heading, from left to right and from above to below; no title: the top of the page."""

    title: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What a reader chooses at the top of the page; `many`: several, or all of them, which is written '*'."""

    name: str
    label: str
    description: str
    sql: str
    many: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Marks on every chart with a time axis: by `sql`, or those that were posted with all of some `tags`."""

    name: str
    colour: str
    sql: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard in one language. `constants` are hidden variables, by name."""

    name: str
    language: Language
    title: str
    description: str
    sections: tuple[Section, ...]
    variables: tuple[Variable, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    annotations: tuple[Annotation, ...] = ()
    links: tuple[BoardLink, ...] = ()
    span: str = "now-24h"
    refresh: str = "1m"

    @property
    def uid(self) -> str:
        """What Grafana knows it by, the same in every organisation."""
        return f"nabd-{self.name}-{self.language}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPlace:
    """Where a chart stands: x of 24 columns, y from above, width and height."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPlaces:
    """A section's heading, None for one without, and its charts with their places."""

    heading: BoardPlace | None
    charts: tuple[tuple[Chart, BoardPlace], ...]


def places(board: Board) -> tuple[SectionPlaces, ...]:
    """Return where everything stands: charts fill rows from the left, a row is as high as its highest."""
    found: list[SectionPlaces] = []
    y = 0
    for section in board.sections:
        heading = BoardPlace(x=0, y=y, w=COLUMNS, h=1) if section.title else None
        y += 1 if heading else 0
        x = highest = 0
        charts: list[tuple[Chart, BoardPlace]] = []
        for chart in section.charts:
            if x + chart.width > COLUMNS:
                x, y, highest = 0, y + highest, 0
            charts.append((chart, BoardPlace(x=x, y=y, w=chart.width, h=chart.height)))
            x, highest = x + chart.width, max(highest, chart.height)
        y += highest
        found.append(SectionPlaces(heading=heading, charts=tuple(charts)))
    return tuple(found)
