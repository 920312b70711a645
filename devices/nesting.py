"""How deeply a text nests, told before anything parses it: one bound for all that comes in. Pure.

Parsers of JSON, YAML and TOML recurse: a few thousand brackets exhaust the stack of some, the time of others.
"""

from __future__ import annotations

import re
from typing import Final

MAX_DEPTH = 32
"""Deepest nesting of anything that comes in; real payloads, bodies and files have five levels."""

# The closing quote is optional: a string that never ends must not be tried again from each of its bytes.
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def depth(text: bytes) -> int:
    """Return how deeply brackets outside double quotes nest, 0 for not too deeply to care."""
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return 0
    level = deepest = 0
    for token in _TOKENS.findall(text):
        if token in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif token in b"]}":
            level -= 1
    return deepest


def is_too_deep(text: str | bytes) -> bool:
    """Tell whether a text nests deeper than MAX_DEPTH."""
    return depth(text.encode("utf-8", "replace") if isinstance(text, str) else text) > MAX_DEPTH
