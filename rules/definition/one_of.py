"""What a device said last, as a sweep rule may ask for it: `flight_phase in ("transit", "landing")`.

Pure. Must not know rule files (rules.loading.reader) nor how the newest readings are stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from devices.kinds.kind import Kind, ValueType
from rules.definition.errors import RuleError, closest

_WRITTEN = re.compile(r'([a-z][a-z0-9_]*)\s+in\s+\(\s*("[^",]*"(?:\s*,\s*"[^",]*")*)\s*,?\s*\)')


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """A text measurement that says one of these."""

    measurement: str
    one_of: tuple[str, ...]


def read_one_of(text: str, kind: Kind | None) -> OneOf:
    """Read a text measurement of a kind and what it may say.

    Raises:
        RuleError: it is something else.
    """
    found = _WRITTEN.fullmatch(text)
    texts = {m.name: m for m in kind.measurements if m.type is ValueType.TEXT} if kind else {}
    if not found:
        wanted = next(iter(texts), "a text measurement of one kind")
        raise RuleError(f'expected {wanted} in ("...", "..."), not {text!r}')
    name = found[1]
    if name not in texts:
        raise RuleError(
            f"{kind.name if kind else 'any kind'} has no text {name!r}", suggestion=closest(name, list(texts))
        )
    said = tuple(word.strip().strip('"') for word in found[2].split(","))
    choices = texts[name].choices
    for word in said:
        if choices and word not in choices:
            raise RuleError(f"{name} is never {word!r}", suggestion=closest(word, choices))
    return OneOf(measurement=name, one_of=said)


def read_state(text: str, kind: Kind | None) -> str:
    """Read a reporting state of a kind.

    Raises:
        RuleError: the kind has none of that name.
    """
    states = list(dict.fromkeys(r.state for r in kind.reporting)) if kind else []
    if text not in states:
        raise RuleError(
            f"{kind.name if kind else 'any kind'} has no reporting state {text!r}",
            suggestion=closest(text, states),
        )
    return text
