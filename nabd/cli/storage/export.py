"""`nabd export`: readings as a file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from api.http import files
from api.http.formats import Format, Row
from devices.instants import to_datetime
from devices.registry import registry
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from readings.stored.export import ExportPage, ReadingExport, export
from store.connection import Connection

app = typer.Typer(no_args_is_help=True, help="What is stored, as files.")

FORMATS = (Format.CSV, Format.NDJSON, Format.PARQUET)


@app.callback()
def group() -> None:
    """Make a group of what would else be a command alone."""


@app.command()
def readings(
    municipality: Annotated[str, typer.Option(help="whose devices")],
    kind: Annotated[str, typer.Option(help="of devices, for example bin")],
    since: Annotated[str, typer.Option("--from", help="from 24h or 7d ago, or an RFC 3339 instant")] = "1d",
    until: Annotated[
        str | None, typer.Option("--to", help="until then, not included; now without it")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="csv, ndjson or parquet; that of the file's name without it")
    ] = "",
    bom: Annotated[bool, typer.Option("--bom", help="CSV with a byte order mark, for Excel")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--output", help="this file; standard output without it")
    ] = None,
) -> None:
    """Write every reading of one kind in a municipality: by device and instant, a page at a time."""
    chosen = _format(form, out)

    async def work(opened: OpenDatabase) -> int:
        declared = opened.kinds.get(kind)
        if declared is None:
            output.fail(f"no kind is called {kind!r}: {', '.join(opened.kinds)}")
        now = opened.now()
        start, end = values.instant(since, now), values.instant(until, now) or to_datetime(now)
        if start is None or start >= end:
            output.fail("there is nothing between --from and --to: --from is the earlier one")
        town = await registry.get_municipality(opened.connection, municipality)
        wanted = ReadingExport(kind=declared, municipality_id=town.id, start=start, end=end)

        @asynccontextmanager
        async def lend() -> AsyncIterator[Connection]:
            yield opened.connection

        counted = _Counted()
        with _opened(out) as file, output.progress() as progress:
            bar = progress.add_task("devices", total=None)

            async def rows() -> AsyncIterator[list[Row]]:
                async for page in export(lend, wanted, timeout_s=None):
                    counted.add(page)
                    progress.update(bar, completed=page.devices, total=page.of_devices)
                    yield list(page.rows)

            async for piece in files.readings_body(chosen, declared, rows(), bom=bom):
                with _writing(out):
                    file.write(piece)
        return counted.rows

    written = run(work, statement_timeout_s=0)
    if out is not None:
        output.complain(f"{written:,} readings in {out}, {out.stat().st_size:,} bytes")


class _Counted:
    """How many rows went through."""

    def __init__(self) -> None:
        self.rows = 0

    def add(self, page: ExportPage) -> None:
        self.rows += len(page.rows)


def _format(form: str, out: Path | None) -> Format:
    """Return the format that is asked for, by name or by the ending of the file."""
    name = form or (out.suffix.removeprefix(".") if out else "csv")
    found = next((one for one in FORMATS if one == name), None)
    if found is None:
        raise typer.BadParameter(f"--format {name!r}: write {', '.join(FORMATS)}")
    if found is Format.PARQUET and out is None and sys.stdout.isatty():
        raise typer.BadParameter("parquet is nothing for a terminal: name a file with -o")
    return found


@contextlib.contextmanager
def _opened(out: Path | None) -> Iterator[BinaryIO]:
    """Give what is written to; a file takes its name when it is whole, so that no half is taken for it."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = out.with_name(out.name + ".partial")
    with _writing(out):
        file = partial.open("wb")
    try:
        with file:
            yield file
            with _writing(out):
                file.flush()
        with _writing(out):
            partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _writing(out: Path | None) -> Iterator[None]:
    """Say what is wrong with the file; an outage of the database is an OSError too, not the file's."""
    try:
        yield
    except OSError as error:
        output.fail(f"{out} cannot be written: {error.strerror or error}; name another file with -o")
