"""`nabd grafana render` and `layout`: the dashboards as files, and their pages drawn with letters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from devices import kinds
from devices.kinds import Kinds
from devices.kinds.kind import KindError
from nabd.cli import output
from nabd.cli.grafana import extra
from nabd.cli.run import load_settings

app = typer.Typer(no_args_is_help=True, help="Dashboards of Grafana, as files and on servers.")

DIRECTORY = Path("deploy/grafana/dashboards")

Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Directory = Annotated[Path, typer.Option("--directory", help="where the files are, one folder a language")]


@app.command("render")
def render(
    *,
    directory: Directory = DIRECTORY,
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; exit with 1 when a file is not current")
    ] = False,
    console: Annotated[
        str | None,
        typer.Option(help="address of the console; NABD_PUBLIC_URL, or the one of docker-compose.yml"),
    ] = None,
    annotations: Annotated[
        bool,
        typer.Option("--annotations", help="mark alerts as `nabd grafana annotate` posts them, not by SQL"),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the dashboards of all kinds in every language, as Grafana's provisioning reads them."""
    extra.need()
    from api.grafana import render as rendering

    address = console or load_settings().public_url or rendering.CONSOLE
    wanted = rendering.files(declared(), console=address, posted=annotations)
    changed = rendering.differing(wanted, directory) if check else rendering.write(wanted, directory)
    if as_json:
        output.print_json({"files": len(wanted), "changed": [str(path) for path in changed]})
    else:
        for path in changed:
            output.line(f"{'not current: ' if check else ''}{directory / path}")
        output.line(f"{len(wanted)} dashboards, {len(changed)} {'not current' if check else 'written'}")
    if check and changed:
        same = " --annotations" if annotations else ""
        output.fail(f"run `nabd grafana render --directory {directory}{same}`")


@app.command("layout")
def layout(
    files: Annotated[
        list[Path], typer.Argument(help="dashboards, as JSON files", exists=True, dir_okay=False)
    ],
) -> None:
    """Draw the page of dashboards with letters: each box is a chart, its sign says of which shape."""
    from api.grafana import layout as drawing

    for file in files:
        board = json.loads(file.read_text(encoding="utf-8"))
        output.line(f"{board['title']} ({board['uid']})\n{drawing.drawn(board)}")


if extra.there():
    from nabd.cli.grafana.annotate import annotate
    from nabd.cli.grafana.sync import synchronise

    app.command("sync")(synchronise)
    app.command("annotate")(annotate)
else:
    app.command("sync", help="Bring a server of Grafana to what is wanted; needs an extra.")(extra.need)
    app.command("annotate", help="Post alerts to a server of Grafana; needs an extra.")(extra.need)


def declared() -> Kinds:
    """Return the kinds of this installation."""
    try:
        return kinds.load(load_settings().kinds_dir)
    except KindError as error:
        output.fail(str(error))
