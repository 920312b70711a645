"""Dashboards as files, one directory a language: what Grafana's provisioning reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from api.grafana import sdk
from api.grafana.board import Board
from api.grafana.dashboards import boards
from api.grafana.dashboards.choices import by_posted
from devices.kinds.kind import Kind
from devices.texts.languages import LANGUAGES, Language

CONSOLE = "http://127.0.0.1:8000"
"""Where the console of docker-compose.yml is."""


def all_boards(
    kinds: Mapping[str, Kind],
    *,
    console: str = CONSOLE,
    languages: Sequence[Language] = LANGUAGES,
    posted: bool = False,
) -> list[Board]:
    """Return every dashboard in every language, in one order; `posted`: marks are posted ones, not SQL's."""
    found = [board for language in languages for board in boards(kinds, language, console=console)]
    return [by_posted(board) for board in found] if posted else found


def files(kinds: Mapping[str, Kind], *, console: str = CONSOLE, posted: bool = False) -> dict[Path, str]:
    """Return the text of every file by its path below the directory of dashboards; `posted` as above."""
    return {
        Path(board.language) / f"{board.name}.json": sdk.dashboard_text(board)
        for board in all_boards(kinds, console=console, posted=posted)
    }


def differing(wanted: Mapping[Path, str], directory: Path) -> list[Path]:
    """Return which files below a directory are missing, other than wanted, or not wanted."""
    there = {path.relative_to(directory) for path in directory.glob("*/*.json")}
    return sorted(
        path
        for path in there | set(wanted)
        if path not in there
        or path not in wanted
        or (directory / path).read_text(encoding="utf-8") != wanted[path]
    )


def write(wanted: Mapping[Path, str], directory: Path) -> list[Path]:
    """Make the files below a directory what is wanted; return those that changed."""
    changed = differing(wanted, directory)
    for path in changed:
        target = directory / path
        if path not in wanted:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(wanted[path], encoding="utf-8")
    return changed
