"""Regular expressions that callers send, bounded so that none takes long. Pure.

Python's engine tries every way to match: `(a+)+` of thirty letters takes a minute. Repeated groups and many
repetitions are refused; what is left is matched against texts of a few dozen characters.
"""

from __future__ import annotations

import re

LONGEST = 200
REPETITIONS, ALTERNATIVES = 3, 10
_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]|\(\?|\)[*+?{]|[*+?{|]|.", re.DOTALL)


class BadPattern(ValueError):
    """A pattern that is none, or that could take long."""


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, to be searched for anywhere in a text.

    Raises:
        BadPattern: it is not accepted; the text says why.
    """
    if len(pattern) > LONGEST:
        raise BadPattern(f"a pattern has at most {LONGEST} characters")
    parts = _PARTS.findall(pattern)
    if any(part == "(?" for part in parts):
        raise BadPattern("(?…) is not supported")
    if any(part[0] == ")" and len(part) == 2 for part in parts):
        raise BadPattern("a group may not be repeated: write what it holds as often as it may come")
    if sum(part in ("*", "+", "?", "{") for part in parts) > REPETITIONS:
        raise BadPattern(f"at most {REPETITIONS} repetitions (*, +, ? or braces)")
    if parts.count("|") > ALTERNATIVES:
        raise BadPattern(f"at most {ALTERNATIVES} alternatives")
    if re.search(r"\\[1-9]", pattern):
        raise BadPattern("references to groups are not supported")
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPattern(f"is no regular expression: {error}") from None
