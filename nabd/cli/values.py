"""Values of the command line: NAME=VALUE pairs, durations and instants.

Pure. Raises typer.BadParameter, which exits with 2 and says what was expected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import typer

from devices.instants import to_datetime
from devices.kinds.kind import ArgumentType, Command, Kind
from devices.registry.csv_rows import attribute_value

AGO = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def pairs(texts: Iterable[str]) -> dict[str, str]:
    """Split NAME=VALUE texts."""
    split = [text.partition("=") for text in texts]
    for name, equals, _ in split:
        if not name or not equals:
            raise typer.BadParameter(f"{name!r}: write it as NAME=VALUE")
    return {name: value for name, _, value in split}


def attributes(texts: Iterable[str], kind: Kind | None) -> dict[str, Any]:
    """Return attributes typed as the kind declares them; an empty value is None."""
    declared = {a.name: a for a in kind.attributes} if kind else {}
    return {
        name: attribute_value(name, value, declared.get(name)) if value else None
        for name, value in pairs(texts).items()
    }


def arguments(texts: Iterable[str], command: Command | None) -> dict[str, Any]:
    """Return a command's arguments typed as it declares them; what is not declared stays text."""
    types = {a.name: a.type for a in command.arguments} if command else {}
    return {
        name: value if types.get(name, ArgumentType.TEXT) is ArgumentType.TEXT else _json_or_text(value)
        for name, value in pairs(texts).items()
    }


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def duration(text: str) -> timedelta:
    """Read a length of time such as 90s, 15m, 24h, 7d."""
    match = AGO.fullmatch(text)
    if not match or not float(match[1]):
        raise typer.BadParameter(f"{text!r}: write a length of time such as 90s, 15m, 24h or 7d")
    try:
        return timedelta(**{UNITS[match[2]]: float(match[1])})
    except OverflowError:
        raise typer.BadParameter(f"{text!r} is too long") from None


def instant(text: str | None, now: int) -> datetime | None:
    """Read an RFC 3339 instant with an offset, or how long ago: 24h, 7d. `now` is in microseconds."""
    if text is None:
        return None
    if AGO.fullmatch(text):
        try:
            return to_datetime(now) - duration(text)
        except OverflowError:
            raise typer.BadParameter(f"{text!r} ago is before the calendar") from None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise typer.BadParameter(f"{text!r}: write 24h, 7d, or an instant such as 2026-03-01T00:00:00Z")
    return parsed


def later(option: str, text: str | None) -> datetime | None:
    """Read an instant that is not said as how long ago, which would be meant as from now on."""
    if text is not None and AGO.fullmatch(text):
        raise typer.BadParameter(
            f"{option} {text}: write an instant such as 2026-03-01T08:00:00Z, or use --for"
        )
    return instant(text, 0)
