"""`nabd store`: how much is stored, since when, for how long."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.storage.accounts import accounts
from nabd.retention.classes import classes_of
from nabd.retention.standing import ClassStanding, StoreStanding, standing
from nabd.settings import retention_of
from readings.stored.size import StoredReadings
from readings.tables import tables_of
from store.tables import Resolution

app = typer.Typer(
    no_args_is_help=True, help="What is stored: how much, since when, for how long; and by whose accounts."
)
app.command()(accounts)

UNITS = ("B", "kB", "MB", "GB", "TB")
SMALL = 1_000_000
"""Tables of fewer bytes are shown together."""


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Show readings, what grows beside them, and what stays: rows (about), size, oldest, when old ones go."""

    async def work(opened: OpenDatabase) -> StoreStanding:
        settings = opened.settings
        tables = tables_of(opened.kinds.values(), retention_of(settings))
        return await standing(opened.connection, classes_of(settings), tables)

    found = run(work)
    if as_json:
        output.print_json(asdict(found))
    else:
        _print(found)


def _print(found: StoreStanding) -> None:
    output.line(f"{found.edition} edition, {_bytes(found.bytes)} in all")
    output.table(
        ("readings of", "rows", "size", "compressed", "since", "kept for", "dropped next", "filled"),
        [_readings(one) for one in found.readings],
        empty="No kind has a table of readings: run `nabd migrate`.",
    )
    output.table(
        ("what grows", "rows", "size", "oldest", "kept for", "setting", "removed so far", "next", "stays"),
        [_class(one) for one in found.classes],
    )
    large = [one for one in found.kept if one.bytes >= SMALL]
    rest = [one for one in found.kept if one.bytes < SMALL]
    rows = [(one.table, f"{one.rows:,}", _bytes(one.bytes)) for one in large]
    counted, taken = sum(one.rows for one in rest), sum(one.bytes for one in rest)
    rows.append((f"{len(rest)} small ones", f"{counted:,}", _bytes(taken)))
    output.table(("kept", "rows", "size"), rows)


def _readings(one: StoredReadings) -> tuple[object, ...]:
    packed = ""
    if one.before_compression and one.after_compression:
        ratio = one.before_compression / one.after_compression
        packed = f"{_bytes(one.before_compression)} to {_bytes(one.after_compression)}, 1/{ratio:.1f}"
    dropped = one.next_at or "by nabd sweep"
    name = one.kind if one.resolution is Resolution.READING else f"{one.kind}, by {one.resolution}"
    filled = ""
    if one.made_from is not None and one.made_to is not None:
        filled = "whole" if one.made_from <= one.made_to else f"from {one.made_from:%Y-%m-%d} on"
    return (
        name, f"{one.rows:,}", _bytes(one.bytes), packed, one.oldest, _days(one.keep_days), dropped, filled,
    )  # fmt: skip


def _class(one: ClassStanding) -> tuple[object, ...]:
    following: object = one.next_at or "at once"
    if one.looked_at is None:
        following = "never looked: start nabd sweep"
    elif one.behind_since:
        following = f"behind since {output.cell(one.behind_since)}"
    return (
        one.name, f"{one.rows:,}" if one.tables else "files", _bytes(one.bytes) if one.tables else "",
        one.oldest, _days(one.keep_days), one.setting, f"{one.removed:,}", following, one.survives,
    )  # fmt: skip


def _days(days: float) -> str:
    return f"{days:g} d" if days else "until it ends"


def _bytes(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {UNITS[unit]}" if unit else f"{count} B"
