"""Errors of rules, for the people who write them.

ValueError
└── RuleError         one mistake: file, line, column, and what was probably meant
    └── (a list of them in) RulesRefused: the file is refused whole
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class RuleError(ValueError):
    """One mistake in a rule. `line` and `column` count from 1; 0 means unknown.

    others: mistakes found beside it in the same part.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        line: int = 0,
        column: int = 0,
        suggestion: str | None = None,
        others: Sequence[RuleError] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.suggestion = suggestion
        self.others = tuple(others)

    def __str__(self) -> str:
        location = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return f"{location}: {self.message}{hint}" if location else f"{self.message}{hint}"


def together(mistakes: Sequence[RuleError]) -> RuleError:
    """Return several mistakes of one part as the first, with the others beside it."""
    first, *rest = [one for mistake in mistakes for one in (mistake, *mistake.others)]
    first.others = tuple(rest)
    return first


class RulesRefused(ValueError):
    """Rules that cannot be used as they are; nothing of them was applied."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)


def closest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that `word` was probably meant to be, or None."""
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return found[0] if found else None
