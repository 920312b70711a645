"""Options of `nabd user` that say how a person is told of alerts, what they know and where they work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from nabd.cli import values

Channels = Annotated[
    list[str] | None,
    typer.Option("--channel", help="ntfy=TOPIC, email=ADDRESS, ...; as often as needed; ntfy= takes it away"),
]
Steps = Annotated[
    list[str] | None,
    typer.Option("--step", help="CHANNEL=0s, CHANNEL=5m, ...: all their own steps; none: the default again"),
]
Quiet = Annotated[
    list[str] | None,
    typer.Option("--quiet", help="22:00-06:00=major: what is below major waits until 06:00; none: never"),
]
Skills = Annotated[
    list[str] | None,
    typer.Option(
        "--skill", help="a kind of devices that they can repair: all of them; none: nobody has said"
    ),
]
Districts = Annotated[
    list[str] | None,
    typer.Option("--district", help="code of a district where they work: all of them; none: nobody has said"),
]
NONE = "none"


def contact_changes(
    held: Mapping[str, Any], channels: list[str] | None, steps: list[str] | None, quiet: list[str] | None
) -> dict[str, Any]:
    """Return the fields of a person that options change.

    Args:
        held: the addresses that the person has; those of other channels stay.
    """
    found: dict[str, Any] = {}
    if channels:
        found["channels"] = {n: v for n, v in {**held, **_addresses(channels)}.items() if v is not None}
    if steps:
        found["steps"] = [_step(text) for text in _some(steps)]
    if quiet:
        found["quiet_hours"] = [_span(text) for text in _some(quiet)]
    return found


def work_changes(skills: list[str] | None, districts: list[str] | None) -> dict[str, Any]:
    """Return the fields of a person that options about their work change."""
    said = {"skills": skills, "districts": districts}
    return {name: _some(texts) for name, texts in said.items() if texts}


def _some(texts: list[str]) -> list[str]:
    return [] if texts == [NONE] else texts


def _addresses(texts: Iterable[str]) -> dict[str, Any]:
    """Return addresses by channel: one as text, several as a list, None where one is taken away."""
    listed: dict[str, list[str]] = {}
    for name, value in map(_pair, texts):
        listed.setdefault(name, []).append(value)
    return {n: None if v == [""] else v[0] if len(v) == 1 else v for n, v in listed.items()}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{text!r}: write it as NAME=VALUE")
    return name, value


def _step(text: str) -> dict[str, Any]:
    channel, after = _pair(text)
    after_s = 0.0 if after in ("0", "0s") else values.duration(after).total_seconds()
    return {"channel": channel, "after_s": after_s}


def _span(text: str) -> dict[str, str]:
    span, below = _pair(text)
    start, dash, until = span.partition("-")
    if not dash:
        raise typer.BadParameter(f"{text!r}: write it as 22:00-06:00=major")
    return {"from": start, "until": until, "below": below}
