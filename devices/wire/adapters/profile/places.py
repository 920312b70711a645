"""Where each key of a TOML text stands, which the parser of the standard library does not tell.

Must be given a text that `tomllib` accepts: it looks for keys and brackets, and judges nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping

Steps = tuple[str | int, ...]
"""Keys and positions from the root: ("readings", 0, "values", "fill_pct")."""
Place = tuple[int, int]
"""Line and column, from 1."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TEXT = re.compile(r"'''.*?'''+|\"\"\"(?:[^\\]|\\.)*?\"\"\"+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def places(text: str) -> Mapping[Steps, Place]:
    """Return the place of every key, header and entry of an array."""
    scanner = _Scanner(text)
    scanner.document()
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    return {steps: _place(position, starts) for steps, position in scanner.found.items()}


def _place(position: int, starts: list[int]) -> Place:
    line = bisect_right(starts, position)
    return line, position - starts[line - 1] + 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._arrays: dict[Steps, int] = {}
        self.found: dict[Steps, int] = {}

    def document(self) -> None:
        table: Steps = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Steps:
        start, array = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        table = self._keys((), start, array)
        self._at = self._text.index("]", self._at) + (2 if array else 1)
        return table

    def _pair(self, table: Steps) -> None:
        start = self._at
        steps = self._keys(table, start, array=False)
        self._at = self._text.index("=", self._at) + 1
        self._value(steps)

    def _keys(self, table: Steps, start: int, array: bool) -> Steps:
        """Read a dotted key; tables of an array are numbered, the last one is meant."""
        while True:
            self._skip(_SPACE)
            match = _KEY.match(self._text, self._at)
            if match is None:
                return table
            self._at = match.end()
            table = (*table, match[0].strip("\"'") if match[0][0] in "\"'" else match[0])
            self._skip(_SPACE)
            more = self._text.startswith(".", self._at)
            if array and not more:
                self._arrays[table] = self._arrays.get(table, -1) + 1
            self.found.setdefault(table, start)
            if table in self._arrays:
                table = (*table, self._arrays[table])
                self.found.setdefault(table, start)
            if not more:
                return table
            self._at += 1

    def _value(self, steps: Steps) -> None:
        self._skip(_SPACE)
        if match := _TEXT.match(self._text, self._at):
            self._at = match.end()
        elif self._text.startswith("[", self._at):
            self._entries(steps)
        elif self._text.startswith("{", self._at):
            self._members(steps)
        else:
            self._skip(_SCALAR)

    def _entries(self, steps: Steps) -> None:
        self._at += 1
        position = 0
        while not self._closed("]"):
            self.found[(*steps, position)] = self._at
            self._value((*steps, position))
            position += 1

    def _members(self, steps: Steps) -> None:
        self._at += 1
        while not self._closed("}"):
            self._pair(steps)

    def _closed(self, bracket: str) -> bool:
        self._skip(_BLANK)
        if self._text.startswith(",", self._at):
            self._at += 1
            self._skip(_BLANK)
        if self._text.startswith(bracket, self._at):
            self._at += 1
            return True
        return self._at >= len(self._text)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        assert match is not None  # each may match nothing
        self._at = match.end()
        return self._at
