"""`nabd silence`: nobody is told of some alerts for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from alerts import silencing
from alerts.silencing import NewSilence, SilenceRecord
from devices.instants import to_datetime
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json

app = typer.Typer(no_args_is_help=True, help="Silence alerts for a while, list silences, end them.")


@app.command()
def add(
    reason: Annotated[str, typer.Option(help="why")],
    device: Annotated[str | None, typer.Option(help="a device, without what hangs on it")] = None,
    rule: Annotated[str | None, typer.Option(help="a rule")] = None,
    kind: Annotated[str | None, typer.Option(help="a kind of devices")] = None,
    district: Annotated[str | None, typer.Option(help="code of a district of the municipality")] = None,
    attribute: Annotated[
        str | None, typer.Option(help="NAME=VALUE: devices of the municipality that have it")
    ] = None,
    municipality: Annotated[str | None, typer.Option(help="only there; else everywhere")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="an instant with offset; now without it")
    ] = None,
    until: Annotated[str | None, typer.Option(help="an instant with offset, not included")] = None,
    lasting: Annotated[str | None, typer.Option("--for", help="instead of --until: 90m, 4h, 2d")] = None,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Silence the alerts to which all that is named applies: they open and end, and nobody is told."""
    if (until is None) == (lasting is None):
        raise typer.BadParameter("say when it ends: --until INSTANT or --for 4h")
    name, value = next(iter(values.pairs([attribute]).items())) if attribute is not None else (None, None)
    first, last = values.later("--from", start), values.later("--until", until)

    async def work(opened: OpenDatabase) -> SilenceRecord:
        now = opened.now()
        began = first or to_datetime(now)
        new = NewSilence(
            municipality=municipality,
            device=device,
            rule=rule,
            kind=kind,
            district=district,
            attribute=name,
            value=value,
            from_at=began,
            until_at=last or began + values.duration(lasting or ""),
            reason=reason,
        )
        by = await opened.actor(author)
        return await silencing.add_silence(opened.connection, opened.kinds, new, by=by, now=now)

    silence = run(work)
    if as_json:
        output.print_json(silence)
        return
    output.line(f"silence {silence.id} over {_what(silence)}: {_span(silence)}, {silence.state}")


@app.command("list")
def list_(
    municipality: Annotated[str | None, typer.Option(help="those of it, and those of all")] = None,
    past: Annotated[bool, typer.Option("--all", help="those that have ended too")] = False,
    as_json: Json = False,
) -> None:
    """List silences that are active or coming."""

    async def work(opened: OpenDatabase) -> list[SilenceRecord]:
        return await silencing.list_silences(
            opened.connection, now=opened.now(), municipality=municipality, past=past, limit=100_000
        )

    found = run(work)
    if as_json:
        for silence in found:
            output.print_json(silence)
        return
    output.table(
        ["silence", "over", "from", "until", "state", "reason", "who", "ended", "by"],
        [
            [s.id, _what(s), s.from_at, s.until_at, s.state, s.reason, s.author, s.ended_at, s.ended_by]
            for s in found
        ],
        empty="Nothing is silenced. `nabd silence add` silences alerts for a while.",
    )


@app.command()
def end(
    silence: Annotated[int, typer.Argument(min=1, help="its number, as `nabd silence list` shows it")],
    author: Author = "",
    as_json: Json = False,
) -> None:
    """End a silence now, or take back one that has not begun; alerts that still fire are told now."""

    async def work(opened: OpenDatabase) -> SilenceRecord:
        return await silencing.end_silence(
            opened.connection, silence, by=await opened.actor(author), now=opened.now()
        )

    ended = run(work)
    if as_json:
        output.print_json(ended)
        return
    output.line(f"silence {ended.id} over {_what(ended)} ended at {output.cell(ended.ended_at)}")


def _what(silence: SilenceRecord) -> str:
    attribute = None if silence.attribute is None else f"{silence.attribute}={silence.value}"
    named = (
        ("device", silence.device),
        ("rule", silence.rule),
        ("kind", silence.kind),
        ("district", silence.district),
        ("attribute", attribute),
    )
    said = " and ".join(f"{what} {name}" for what, name in named if name is not None)
    return f"{said} in {silence.municipality or 'all municipalities'}"


def _span(silence: SilenceRecord) -> str:
    return f"{output.cell(silence.from_at)} to {output.cell(silence.until_at)}"
