"""Where a value stands in a message: `a.b[0].c`, `list[name=dist].value`, `$radio.rssi_dbm`. Pure.

A name may hold anything but dots and brackets; one that does stands in double quotes. `[-1]` is the last
entry, `[name=dist]` the first one whose `name` is `dist`. What begins with `$` is of the message around: `$`
its whole values, `$radio`, `$port`, `$counter`, `$device`, `$topic`; without it a path begins where its
reading does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from devices.wire.adapters.profile.places import Steps

AROUND = ("$", "$radio", "$port", "$counter", "$device", "$topic")
"""What a path may begin with, beside names."""
MOST_LEAVES = 200
"""How many values of one message are looked at for what was left."""

_STEP = re.compile(r'\[(-?\d+)\]|\[([^\[\]=]+)=([^\[\]]*)\]|(?:^|\.)(?:"([^"]+)"|([^."\[\]]+))')
_PLAIN = re.compile(r'[^."\[\]]+')


class NoValue:
    """Stands where a path leads nowhere."""


MISSING = NoValue()


@dataclass(frozen=True, slots=True)
class ValuePath:
    """A path as it is written, and its steps; a pair selects an entry by a member of it."""

    text: str
    steps: tuple[str | int | tuple[str, str], ...]

    def find(self, values: object, around: Mapping[str, object]) -> tuple[object, Steps]:
        """Return the value, MISSING where there is none, and by which concrete steps it was found."""
        found, steps = values, self.steps
        taken: list[str | int] = []
        first = steps[0]
        if isinstance(first, str) and first in AROUND:
            found, steps = around.get(first, MISSING), steps[1:]
            taken.append(first)
        for step in steps:
            concrete = _concrete(found, step)
            if isinstance(concrete, NoValue):
                return MISSING, ()
            taken.append(concrete)
            found = found[concrete]  # type: ignore[index]
        return found, tuple(taken)


def parse_path(text: str) -> ValuePath:
    """Return a path.

    Raises:
        ValueError: it is none; the text says how one looks.
    """
    steps: list[str | int | tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or match.end() == at:
            break
        index, name, value, quoted, plain = match.groups()
        steps.append(int(index) if index else (name, value) if name else quoted or plain)
        at = match.end()
    if not steps or at < len(text):
        raise ValueError(f"{text!r} is no path: write one such as a.b[0].c or list[name=dist].value")
    first = steps[0]
    if isinstance(first, str) and first.startswith("$") and first not in AROUND:
        raise ValueError(f"a path does not begin with {first}: of the message there is {', '.join(AROUND)}")
    return ValuePath(text, tuple(steps))


def leaves(value: object, steps: Steps = ()) -> Iterator[tuple[Steps, object]]:
    """Yield what stands in a document with its steps; what is empty counts as a value."""
    if isinstance(value, Mapping) and value:
        for name, member in value.items():
            yield from leaves(member, (*steps, str(name)))
    elif isinstance(value, list | tuple) and value:
        for position, entry in enumerate(value):
            yield from leaves(entry, (*steps, position))
    else:
        yield steps, value


def written(steps: Steps) -> str:
    """Return steps as a path."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if _PLAIN.fullmatch(step) else f'"{step}"'
            text += f".{name}" if text else name
    return text


def _concrete(found: object, step: str | int | tuple[str, str]) -> str | int | NoValue:
    if isinstance(step, str):
        # A plain one first: to ask whether something is a Mapping takes as long as the rest.
        is_mapping = type(found) is dict or isinstance(found, Mapping)
        return step if is_mapping and step in found else MISSING  # type: ignore[operator]
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        return MISSING
    if isinstance(step, int):
        position = step + len(found) if step < 0 else step
        return position if 0 <= position < len(found) else MISSING
    name, wanted = step
    for position, entry in enumerate(found):
        if isinstance(entry, Mapping) and name in entry and str(entry[name]) == wanted:
            return position
    return MISSING
