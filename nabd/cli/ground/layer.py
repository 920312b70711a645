"""`nabd municipality layer`: districts and streets, from GeoJSON and back.

Commands convert and print; what is accepted is decided in devices/registry/ground.
"""

from __future__ import annotations

from typing import Annotated

import typer

from devices.registry.ground import geojson, layers
from devices.registry.ground.feature import Feature, FeatureProblem, Layer
from devices.registry.ground.layers import LayerImport, LayerSummary
from devices.texts.languages import LANGUAGES
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run

app = typer.Typer(
    no_args_is_help=True, help="Districts and streets of a municipality, from GeoJSON and back."
)

MOST_PRINTED = 100
"""Problems that a person is shown; --json has all of them."""

Owner = Annotated[str, typer.Option("--municipality", help="whose layer it is")]
Which = Annotated[Layer, typer.Option("--layer", help="which one")]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]


@app.command("import")
def import_(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(help="GeoJSON, a FeatureCollection; - reads standard input")
    ],
    municipality: Owner,
    layer: Which,
    remove_missing: Annotated[
        bool, typer.Option("--remove-missing", help="take away stored features that are not in the file")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would be done, and do nothing")
    ] = False,
    as_json: Json = False,
) -> None:
    """Store the districts or streets of a file: all of them, or none when one has a problem.

    Features are known by their code: the property code, or else their id, or else made from their Latin name.
    Names come from name:en, name:fr and name:ar, name_ar and the like, title the same, or plain name.
    """
    # One byte more than is allowed says that there are too many.
    content = file.read(geojson.MOST_BYTES + 1)

    async def work(opened: OpenDatabase) -> LayerImport:
        return await layers.import_layer(
            opened.connection,
            municipality,
            layer,
            content,
            remove_missing=remove_missing,
            dry_run=dry_run,
            now=opened.now,
            by=await opened.actor(),
        )

    done = run(work)
    _report(done, getattr(file, "name", "-"), dry_run=dry_run, as_json=as_json)
    if done.problems:
        raise typer.Exit(1)


def _report(done: LayerImport, file: str, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        output.print_json(done)
        return
    for problem in done.problems[:MOST_PRINTED]:
        output.complain(f"{file}: {_said(problem)}")
    if len(done.problems) > MOST_PRINTED:
        output.complain(f"… and {len(done.problems) - MOST_PRINTED} more: --json prints all of them")
    counts = ("added", "changed", "unchanged", "removed", "kept")
    told = ", ".join(f"{getattr(done, name)} {name}" for name in counts)
    if done.written:
        output.line(f"{told}. Devices in another district or street now: {done.devices}.")
    elif dry_run:
        output.line(f"Nothing written (--dry-run). It would be: {told}, {len(done.problems)} problems.")
    else:
        output.line(f"Nothing written: correct {len(done.problems)} problems ({told}).")


def _said(problem: FeatureProblem) -> str:
    place = problem.pointer.split("/", 3)[3:] if problem.feature else [problem.pointer.lstrip("/")]
    return ": ".join(part for part in (problem.feature, *place, problem.message) if part)


@app.command("list")
def list_(
    municipality: Annotated[str | None, typer.Option(help="only this municipality's")] = None,
    as_json: Json = False,
) -> None:
    """List the layers of municipalities."""

    async def work(opened: OpenDatabase) -> list[LayerSummary]:
        return await layers.list_layers(opened.connection, municipality)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [(one.municipality, one.layer, one.features, one.devices, one.updated_at) for one in found]
    columns = ("municipality", "layer", "features", "devices", "changed")
    output.table(columns, rows, empty="None yet. `nabd municipality layer import FILE.geojson` brings one.")


@app.command()
def show(municipality: Owner, layer: Which, as_json: Json = False) -> None:
    """Show the features of a layer by code, and how many devices stand there."""
    found = _features(municipality, layer)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [
        (one.name, *(one.title.get(language) for language in LANGUAGES), one.geometry["type"], one.devices)
        for one in found
    ]
    output.table(("code", *LANGUAGES, "geometry", "devices"), rows, empty=f"No {layer} were imported yet.")


@app.command()
def export(municipality: Owner, layer: Which) -> None:
    """Print a layer as GeoJSON, as `import` takes it back."""
    output.print_json(geojson.write(_features(municipality, layer)))


def _features(municipality: str, layer: Layer) -> list[Feature]:
    async def work(opened: OpenDatabase) -> list[Feature]:
        return await layers.list_features(opened.connection, municipality, layer)

    return run(work)


@app.command()
def remove(
    municipality: Owner,
    layer: Which,
    codes: Annotated[list[str] | None, typer.Argument(help="codes of features")] = None,
    everything: Annotated[bool, typer.Option("--all", help="the whole layer")] = False,
) -> None:
    """Take features away; devices that were set to one get theirs from their position again."""
    if bool(codes) == everything:
        raise typer.BadParameter("name codes, or --all for the whole layer")

    async def work(opened: OpenDatabase) -> int:
        return await layers.remove_features(
            opened.connection, municipality, layer, codes or None, opened.now, by=await opened.actor()
        )

    output.line(f"{run(work)} of {layer} of {municipality} removed.")
