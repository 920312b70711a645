"""What commands print: tables for people, JSON for programs, one line for a failure.

With --json a list is one JSON object a line, and a single thing one JSON object; times are RFC 3339 in
UTC, and bytes that are not UTF-8 stand as base64 under a name that says so. Exit codes: 0 done, 1 failed,
2 wrong usage. Must not know what is printed.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

ISOLATES = "\u2066\u2068\u2069"
"""They keep names in a line of Arabic in their own direction."""
PIPED_WIDTH = 240
"""Width without a terminal; a table in a file should not be cut to 80 columns."""


def console(*, stderr: bool = False) -> Console:
    """Return a console on the present standard output or error."""
    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=PIPED_WIDTH)


def print_json(value: Any) -> None:
    """Print one value as one line of JSON; dataclasses become objects."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "") -> None:
    """Print rows below their headings, or the sentence `empty` where there are none.

    Cells are printed as they are, without rich's markup, or as `translated` returned them; None is blank.
    """
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(value if isinstance(value, Text) else Text(cell(value)) for value in row))
    if empty and not shown.row_count:
        line(empty)
        return
    console().print(shown)


def line(text: str | Text) -> None:
    """Print one line for a person; control characters are shown, not sent to the terminal."""
    console().print(text if isinstance(text, Text) else Text(_shown(text)), soft_wrap=True)


def translated(text: str) -> Text:
    """Return a text of the catalogue: its isolates are ours; those that others wrote would turn the line."""
    return Text(_shown(text, ISOLATES))


def cell(value: object) -> str:
    """Return a value as a table shows it."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        case float():
            return f"{value:g}"
        case _:
            return _printable(str(value))


def _shown(text: str, kept: str = "") -> str:
    return "\n".join(_printable(one, kept) for one in text.split("\n"))


def _printable(text: str, kept: str = "") -> str:
    return "".join(c if c.isprintable() or c in kept else "\ufffd" for c in text)


def complain(message: str) -> None:
    """Print one line on standard error."""
    console(stderr=True).print(Text(f"nabd: {message}"), soft_wrap=True)


def fail(message: str) -> NoReturn:
    """Print one line that says what failed and what to do, and exit with 1."""
    complain(message)
    raise typer.Exit(1)


def progress() -> Progress:
    """Return a progress bar with the time left; it prints nothing without a terminal."""
    watched = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=watched,
        disable=not watched.is_terminal,
        transient=True,
    )


def payload_fields(payload: bytes) -> dict[str, str]:
    """Return the payload as JSON can carry it: `payload` as text, or `payload_base64`."""
    try:
        return {"payload": payload.decode()}
    except UnicodeDecodeError:
        return {"payload_base64": base64.b64encode(payload).decode()}
