"""The option --layer of `nabd on-call`: one layer of a schedule as KEY=VALUE words. Pure."""

from __future__ import annotations

from typing import Any

import typer

from nabd.cli import values

WORDS = ("people", "start", "turn", "handover", "hours", "days")


def layer_of(text: str) -> dict[str, Any]:
    """Return a layer as notify.routing.layers wants it; turn is a length such as 7d or 2w."""
    said = values.pairs(text.split())
    for word in said:
        if word not in WORDS:
            raise typer.BadParameter(f"--layer: {word!r} is none of {', '.join(WORDS)}")
    found: dict[str, Any] = {name: said[name] for name in ("start", "handover", "hours") if name in said}
    if "people" in said:
        found["people"] = said["people"].split(",")
    if "turn" in said:
        days = values.duration(said["turn"]).total_seconds() / 86_400
        if days != int(days):
            raise typer.BadParameter("--layer: a turn is a number of whole days, such as 7d")
        found["turn_days"] = int(days)
    if "days" in said:
        days_of = said["days"].split(",")
        found["days"] = said["days"] if said["days"] in ("workdays", "weekend") else days_of
    return found
