"""Mistakes in profiles, for the people who write them.

ValueError
├── ProfileError      one mistake: file, line, column, and what was probably meant
└── ProfileRefused    all mistakes of a file, which is refused whole
"""

from __future__ import annotations

from collections.abc import Sequence


class ProfileError(ValueError):
    """One mistake in a profile. `line` and `column` count from 1; 0 means unknown."""

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, column: int = 0, suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.suggestion = suggestion

    def __str__(self) -> str:
        location = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return f"{location}: {self.message}{hint}" if location else f"{self.message}{hint}"


class ProfileRefused(ValueError):
    """A profile that cannot be used as it is."""

    def __init__(self, errors: Sequence[ProfileError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)
