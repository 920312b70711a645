"""Horizontal bars in sections, as SVG that light and dark pages can show. Pure; the same bars, the same text.

Letters are the reader's own: no font is embedded or fetched. Must not know what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

WIDTH, MARGIN = 760, 20
PLOT_LEFT, PLOT_RIGHT = 290, 650
"""Names stand before, values behind the bars."""
TITLE_HEIGHT, LINE_HEIGHT, HEADING_HEIGHT, BAR_HEIGHT, BAR_GAP, AXIS_HEIGHT = 30, 18, 30, 18, 8, 50
MOST_TICKS = 6

_STYLE = """\
.chart{font:13px system-ui,-apple-system,"Segoe UI",sans-serif}
.chart .title{font-size:17px;font-weight:600}.chart .heading{font-weight:600}
.chart .paper{fill:#fff}.chart text{fill:#1f2328}.chart .quiet{fill:#59636e}
.chart .grid{stroke:#d1d9e0}.chart .spread{stroke:#1f2328;stroke-width:1.5}
.chart .ours{fill:#4493f8}.chart .strong{fill:#1f6feb}.chart .others{fill:#9aa4af}
@media (prefers-color-scheme:dark){
.chart .paper{fill:#0d1117}.chart text{fill:#e6edf3}.chart .quiet{fill:#9198a1}
.chart .grid{stroke:#30363d}.chart .spread{stroke:#e6edf3}
.chart .ours{fill:#388bfd}.chart .strong{fill:#1f6feb}.chart .others{fill:#6e7681}}
"""


class BarShade(StrEnum):
    """What a bar is: of Nabd, of Nabd and to be seen first, or of others."""

    OURS = "ours"
    STRONG = "strong"
    OTHERS = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar; low and high: the spread of its runs, drawn as a line where they differ."""

    name: str
    value: float
    low: float
    high: float
    shade: BarShade = BarShade.OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSection:
    """Bars below a heading; "" is none."""

    heading: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """What a picture shows. lines: below the title, what was measured and on what."""

    title: str
    lines: Sequence[str]
    unit: str
    sections: Sequence[BarSection]


def svg(chart: BarChart) -> str:
    """Return a chart as the text of an SVG file."""
    top = MARGIN + TITLE_HEIGHT + LINE_HEIGHT * len(chart.lines)
    rows = sum(
        HEADING_HEIGHT * bool(section.heading) + (BAR_HEIGHT + BAR_GAP) * len(section.bars)
        for section in chart.sections
    )
    bottom = top + rows + BAR_GAP
    height = bottom + AXIS_HEIGHT
    bars = [bar for section in chart.sections for bar in section.bars]
    ticks = _ticks(max((max(bar.value, bar.high) for bar in bars), default=0.0))
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 {WIDTH} {height}"'
            f' width="{WIDTH}" height="{height}" aria-labelledby="title desc">'
        ),
        f'<title id="title">{escape(chart.title)}</title>',
        f'<desc id="desc">{escape(_description(chart))}</desc>',
        f"<style>\n{_STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>',
        _text(MARGIN, MARGIN + 16, chart.title, "title"),
        *(
            _text(MARGIN, MARGIN + TITLE_HEIGHT + 8 + LINE_HEIGHT * i, line, "quiet")
            for i, line in enumerate(chart.lines)
        ),
        *_grid(ticks, top, bottom),
        *_sections(chart.sections, top, ticks[-1]),
        _text(PLOT_RIGHT, bottom + 38, chart.unit, "quiet", anchor="end"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def number(value: float) -> str:
    """Return a value as the picture says it: three digits, or all of a whole number."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _description(chart: BarChart) -> str:
    """Say all that is drawn, for whoever cannot see it."""
    said = [
        f"{section.heading}: {bars}" if section.heading else bars
        for section in chart.sections
        if (bars := ", ".join(f"{bar.name} {number(bar.value)}" for bar in section.bars))
    ]
    return f"{' '.join(chart.lines)} {chart.unit}: {'; '.join(said)}."


def _ticks(most: float) -> list[float]:
    """Return round values from 0 to the first one that is not below the longest bar."""
    if most <= 0:
        return [0.0, 1.0]
    exact = most / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(exact))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= exact * 0.999)
    return [step * i for i in range(math.ceil(most / step - 1e-9) + 1)]


def _grid(ticks: Sequence[float], top: int, bottom: int) -> Iterator[str]:
    for tick in ticks:
        x = _x(tick, ticks[-1])
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
        yield _text(
            x, bottom + 18, f"{tick:,g}" if tick < 1_000_000 else f"{tick:,.0f}", "quiet", anchor="middle"
        )


def _sections(sections: Sequence[BarSection], top: int, most: float) -> Iterator[str]:
    y = top
    for section in sections:
        if section.heading:
            yield _text(MARGIN, y + 21, section.heading, "heading")
            y += HEADING_HEIGHT
        for bar in section.bars:
            yield from _bar(bar, y + BAR_GAP // 2, most)
            y += BAR_HEIGHT + BAR_GAP


def _bar(bar: Bar, y: int, most: float) -> Iterator[str]:
    end = _x(bar.value, most)
    yield _text(PLOT_LEFT - 8, y + 13, bar.name, "", anchor="end")
    yield (
        f'<rect class="{bar.shade}" x="{PLOT_LEFT}" y="{y}" width="{_round(end - PLOT_LEFT)}"'
        f' height="{BAR_HEIGHT}" rx="2"/>'
    )
    if bar.low < bar.high:
        low, high = _x(bar.low, most), _x(bar.high, most)
        middle = y + BAR_HEIGHT // 2
        yield f'<line class="spread" x1="{low}" x2="{high}" y1="{middle}" y2="{middle}"/>'
        for x in (low, high):
            yield f'<line class="spread" x1="{x}" x2="{x}" y1="{middle - 4}" y2="{middle + 4}"/>'
        end = max(end, high)
    yield _text(_round(end + 6), y + 13, number(bar.value), "")


def _text(x: float, y: int, text: str, style: str, *, anchor: str = "") -> str:
    attributes = f' class="{style}"' if style else ""
    attributes += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x}" y="{y}"{attributes}>{escape(text)}</text>'


def _x(value: float, most: float) -> float:
    return _round(PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * value / most)


def _round(value: float) -> float:
    return round(value, 1)
