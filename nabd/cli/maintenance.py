"""`nabd maintenance`: when people work on devices, so that rules do not look meanwhile."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.instants import to_datetime
from nabd.cli import output, values
from nabd.cli.alerting import plans
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json
from rules.maintenance import windows
from rules.maintenance.windows import PlannedWindow

app = typer.Typer(no_args_is_help=True, help="Plan, list and end maintenance windows.")

plans.add_to(app)

Device = Annotated[str | None, typer.Option(help="a device, with everything below it")]
Municipality = Annotated[str | None, typer.Option(help="a whole municipality")]


@app.command()
def add(
    reason: Annotated[str, typer.Option(help="what is done there")],
    device: Device = None,
    municipality: Municipality = None,
    start: Annotated[
        str | None, typer.Option("--from", help="an instant with offset; now without it")
    ] = None,
    until: Annotated[str | None, typer.Option(help="an instant with offset, not included")] = None,
    lasting: Annotated[str | None, typer.Option("--for", help="instead of --until: 90m, 4h, 2d")] = None,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Plan a window: rules do not look at readings observed in it, and nobody is missed."""
    if (until is None) == (lasting is None):
        raise typer.BadParameter("say when it ends: --until INSTANT or --for 4h")

    async def work(opened: OpenDatabase) -> PlannedWindow:
        now = opened.now()
        began = values.later("--from", start) or to_datetime(now)
        end = values.later("--until", until) or began + values.duration(lasting or "")
        return await windows.add_window(
            opened.connection,
            device=device,
            municipality=municipality,
            from_at=began,
            until_at=end,
            reason=reason,
            by=await opened.actor(author),
            now=now,
        )

    window = run(work)
    if as_json:
        output.print_json(window)
        return
    output.line(f"window {window.id} over {_where(window)}: {_span(window)}, {window.state}")


@app.command("list")
def list_(
    device: Device = None,
    municipality: Municipality = None,
    over: Annotated[bool, typer.Option("--all", help="those that have ended too")] = False,
    as_json: Json = False,
) -> None:
    """List windows that run or are planned; with --device those that cover it, whatever they are over."""

    async def work(opened: OpenDatabase) -> list[PlannedWindow]:
        return await windows.list_windows(
            opened.connection,
            now=opened.now(),
            device=device,
            municipality=municipality,
            over=over,
            limit=100_000,
        )

    found = run(work)
    if as_json:
        for window in found:
            output.print_json(window)
        return
    output.table(
        ["window", "over", "from", "until", "state", "reason", "who"],
        [[w.id, _where(w), w.from_at, w.until_at, w.state, w.reason, w.author] for w in found],
        empty="No window runs or is planned. `nabd maintenance add` plans one.",
    )


@app.command()
def end(
    window: Annotated[int, typer.Argument(min=1, help="its number, as `nabd maintenance list` shows it")],
    author: Author = "",
    as_json: Json = False,
) -> None:
    """End a window now, or take back one that has not begun; rules look again from here on."""

    async def work(opened: OpenDatabase) -> PlannedWindow:
        return await windows.end_window(
            opened.connection, window, by=await opened.actor(author), now=opened.now()
        )

    ended = run(work)
    if as_json:
        output.print_json(ended)
        return
    done = "is taken back" if ended.state == "cancelled" else f"ended at {output.cell(ended.until_at)}"
    output.line(f"window {ended.id} over {_where(ended)} {done}")


def _where(window: PlannedWindow) -> str:
    return window.device or f"municipality {window.municipality}"


def _span(window: PlannedWindow) -> str:
    return f"{output.cell(window.from_at)} to {output.cell(window.until_at)}"
