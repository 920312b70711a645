"""Regular expressions that callers send, for an engine whose time grows with the text alone (RE2). Pure.

Python's own engine tries every way to match: `(a+)+` of thirty letters takes a minute.
"""

from __future__ import annotations

import re2

LONGEST = 200
TEXT = 128
"""Characters of a text that are looked at."""
MEMORY = 2**20
"""Bytes that a pattern may take, so that what bounded repetitions unfold to is bounded too."""


class BadPattern(ValueError):
    """A pattern that is none, or that RE2 does not have; the text says why."""


class Pattern:
    """A pattern, to be looked for in the first characters of texts."""

    def __init__(self, pattern: str) -> None:
        """Read a pattern.

        Raises:
            BadPattern: it is not accepted.
        """
        if len(pattern) > LONGEST:
            raise BadPattern(f"a pattern has at most {LONGEST} characters")
        options = re2.Options()
        options.max_mem, options.log_errors, options.never_capture = MEMORY, False, True
        try:
            self._compiled = re2.compile(pattern, options)
        except UnicodeEncodeError:
            raise BadPattern("holds half a character") from None
        except re2.error as error:
            why = error.args[0] if error.args else b""
            said = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
            raise BadPattern(f"is no regular expression of RE2: {said}") from None
        finally:
            re2.purge()  # which keeps the last 128 patterns of anybody

    def is_in(self, text: str) -> bool:
        """Tell whether a text holds it."""
        return self._compiled.search(_looked_at(text)) is not None

    def begins(self, text: str) -> bool:
        """Tell whether a text begins with it."""
        return self._compiled.match(_looked_at(text)) is not None


def _looked_at(text: str) -> bytes:
    return text[:TEXT].encode(errors="replace")
