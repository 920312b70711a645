"""Bars as inline SVG, each with a text that says the same. Pure. Nothing in them is fetched."""

from __future__ import annotations

from html import escape

WIDTH, HEIGHT = 200, 12
MAIN, BACK, MARK = "#0f766e", "#e3eae8", "#b3202b"


def bar(share: float, said: str, *, rightward: bool, mark: float | None = None, colour: str = MAIN) -> str:
    """Return a bar.

    Args:
        share: of its whole length, 0 to 1.
        said: what it shows, in words; escaped here.
        rightward: it grows from left to right.
        mark: a share at which a line stands.
    """
    length = round(min(max(share, 0.0), 1.0) * WIDTH, 1)
    shapes = [
        _box(0, WIDTH, BACK),
        _box(0.0 if rightward else WIDTH - length, length, colour),
    ]
    if mark is not None:
        place = mark * WIDTH if rightward else (1 - mark) * WIDTH
        shapes.append(f'<rect x="{place - 1:.1f}" y="-2" width="2" height="{HEIGHT + 4}" fill="{MARK}"/>')
    return (
        f'<svg class="bar" role="img" aria-label="{escape(said)}" viewBox="0 -2 {WIDTH} {HEIGHT + 4}"'
        f' width="{WIDTH}" height="{HEIGHT + 4}"><title>{escape(said)}</title>{"".join(shapes)}</svg>'
    )


def _box(x: float, width: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="0" width="{width}" height="{HEIGHT}" rx="2" fill="{colour}"/>'
