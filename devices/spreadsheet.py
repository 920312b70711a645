"""Text in a CSV that a spreadsheet opens. Pure."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet evaluate a cell (OWASP, CSV injection)."""


def plain(text: str) -> str:
    """Return the text of a cell; what a spreadsheet would evaluate gets an apostrophe in front."""
    return "'" + text if text.startswith(_FORMULA) else text
