"""`nabd device import`: many devices, from a CSV file or from a LoRaWAN network that knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from devices import profiles
from devices.registry import csv_import, csv_rows
from devices.registry.csv_import import ImportPlan
from devices.registry.csv_rows import CsvRows
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.devices.options import Json
from nabd.networks import chirpstack, mapping, things_stack
from nabd.networks.mapping import MappingRefused
from nabd.networks.network_device import NetworkRefused


def import_(
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Argument(help="CSV in UTF-8, with a header; - reads standard input"),
    ] = None,
    chirpstack_url: Annotated[
        str | None, typer.Option("--chirpstack", help="address of the REST API of ChirpStack v4, instead")
    ] = None,
    tts_url: Annotated[
        str | None, typer.Option("--tts", help="address of a cluster of The Things Stack, instead")
    ] = None,
    application: Annotated[str, typer.Option(help="id of the application there")] = "",
    token_file: Annotated[
        Path | None, typer.Option(help="file with the API key, which no command line should hold")
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--map", help="TOML table: which kind and profile each model has here")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would be done, and do nothing")
    ] = False,
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="import the good lines although others have problems")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="change devices that are registered already")
    ] = False,
    as_json: Json = False,
) -> None:
    """Register the devices of a CSV file, or of a network's application: all of them, or none.

    Columns: name, kind, municipality, parent, title, lat, lon, installed_at, relays, serial, district,
    attr.NAME; comma, semicolon or tab between. installed_at is an instant or the word planned, left empty:
    now. Attributes that the kind does not declare stay text where they are no plain number.

    A network's devices are called by their DevEUI here. Asked again, what is new there is registered and what
    has changed is changed; nothing else is. Where one stands comes from tags `lat` and `lon` in ChirpStack,
    from the location in The Things Stack. docs/devices.md shows the table for --map.
    """
    url = chirpstack_url or tts_url
    if [file, chirpstack_url, tts_url].count(None) != 2:
        raise typer.BadParameter("name a CSV file, or --chirpstack URL, or --tts URL: one of them")
    if url is not None and not (application and token_file and table):
        raise typer.BadParameter("a network needs --application ID, --token-file FILE and --map FILE")

    async def read(opened: OpenDatabase) -> CsvRows:
        if file is not None:
            return csv_rows.read(file.read(), opened.kinds)
        assert url is not None
        assert token_file is not None
        assert table is not None
        known = profiles.load(opened.kinds, opened.settings.profiles_dir)
        told = mapping.parse(_text(table), opened.kinds, known)
        ask = chirpstack.devices if chirpstack_url is not None else things_stack.devices
        with output.progress() as bar:
            task = bar.add_task("Reading", total=None)
            found = await ask(
                url,
                application,
                _text(token_file).strip(),
                lambda total: bar.update(task, total=total),
                lambda count: bar.advance(task, count),
            )
        rows, left = mapping.rows(told, found, opened.kinds)
        if left:
            output.complain(f"{len(left)} left out, whose models the table gives no kind")
        return rows

    async def work(opened: OpenDatabase) -> tuple[ImportPlan, bool]:
        try:
            rows = await read(opened)
        except (NetworkRefused, MappingRefused) as refused:
            output.fail(f"{table}: {refused}" if isinstance(refused, MappingRefused) else str(refused))
        planned = await csv_import.plan(opened.connection, rows, update=update or url is not None)
        refused_lines = bool(planned.problems) and not keep_good
        if dry_run or refused_lines:
            return planned, False
        with output.progress() as bar:
            task = bar.add_task("Importing", total=planned.steps)
            await csv_import.carry_out(
                opened.connection,
                opened.kinds,
                planned,
                opened.now,
                by=await opened.actor(),
                on_progress=lambda written: bar.advance(task, written),
            )
        return planned, True

    planned, written = run(work)
    source = url or str(getattr(file, "name", "-"))
    _report(planned, source, written=written, dry_run=dry_run, as_json=as_json)
    if planned.problems:
        raise typer.Exit(1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from error


def _report(planned: ImportPlan, file: str, *, written: bool, dry_run: bool, as_json: bool) -> None:
    counts = {"added": len(planned.add), "updated": len(planned.edit), "unchanged": planned.unchanged}
    if as_json:
        output.print_json({"written": written, **counts, "problems": planned.problems})
        return
    for problem in planned.problems:
        where = f"{file}:{problem.line}"
        output.complain(f"{where}: {problem.field + ': ' if problem.field else ''}{problem.message}")
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    if written:
        output.line(f"{told}, {len(planned.problems)} problems.")
    elif dry_run:
        output.line(f"Nothing written (--dry-run). It would be: {told}, {len(planned.problems)} problems.")
    else:
        output.line(
            f"Nothing written: correct {len(planned.problems)} problems, or use --keep-good ({told})."
        )
