"""`nabd municipality`: the municipalities that devices belong to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from devices.registry import municipalities, registry
from devices.registry.municipalities import NewMunicipality
from devices.registry.registry import Municipality
from devices.texts.languages import LANGUAGES
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.ground import layer

app = typer.Typer(no_args_is_help=True, help="Add, list and change municipalities.")
app.add_typer(layer.app, name="layer")

Name = Annotated[str, typer.Argument(help="its name in topics: a-z, 0-9 and -")]
Title = Annotated[list[str] | None, typer.Option(help=f"LANGUAGE=NAME for {', '.join(LANGUAGES)}")]
TimeZone = Annotated[str | None, typer.Option(help="for example Asia/Beirut")]
Locale = Annotated[str | None, typer.Option(help="for example ar-LB, fr-MA or en")]
Weekend = Annotated[
    str | None,
    typer.Option(help="ISO days, 1 is Monday: 5,6 is Friday and Saturday; the locale's without it"),
]
Lat = Annotated[float | None, typer.Option(help="latitude of its middle")]
Lon = Annotated[float | None, typer.Option(help="longitude of its middle")]
RegisterUnknown = Annotated[
    bool | None,
    typer.Option(
        "--register-unknown/--quarantine-unknown", help="what becomes of a device nobody registered"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]


def _fields(
    title: list[str] | None,
    time_zone: str | None,
    locale: str | None,
    weekend: str | None,
    lat: float | None,
    lon: float | None,
    register_unknown: bool | None,
) -> dict[str, Any]:
    """Return the fields that were given."""
    said = {
        "title": values.pairs(title) if title else None,
        "time_zone": time_zone,
        "locale": locale,
        "weekend": _days(weekend) if weekend is not None else None,
        "lat": lat,
        "lon": lon,
        "register_unknown": register_unknown,
    }
    return {field: value for field, value in said.items() if value is not None}


def _days(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(day) for day in text.split(",") if day.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r}: write ISO days such as 5,6") from None


@app.command()
def add(
    name: Name,
    title: Title = None,
    time_zone: TimeZone = None,
    locale: Locale = None,
    weekend: Weekend = None,
    lat: Lat = None,
    lon: Lon = None,
    register_unknown: RegisterUnknown = None,
    as_json: Json = False,
) -> None:
    """Add a municipality."""
    fields = _fields(title, time_zone, locale, weekend, lat, lon, register_unknown)

    async def work(opened: OpenDatabase) -> Municipality:
        new = NewMunicipality(name=name, **fields)
        return await municipalities.add_municipality(
            opened.connection, new, opened.now, by=await opened.actor()
        )

    _show_done(run(work), "added", as_json=as_json)


@app.command()
def edit(
    name: Name,
    title: Title = None,
    time_zone: TimeZone = None,
    locale: Locale = None,
    weekend: Weekend = None,
    lat: Lat = None,
    lon: Lon = None,
    register_unknown: RegisterUnknown = None,
    as_json: Json = False,
) -> None:
    """Change a municipality; what is not named stays."""
    fields = _fields(title, time_zone, locale, weekend, lat, lon, register_unknown)
    if not fields:
        raise typer.BadParameter("name at least one change; `nabd municipality edit --help` lists them")

    async def work(opened: OpenDatabase) -> Municipality:
        return await municipalities.edit_municipality(
            opened.connection, name, fields, opened.now, by=await opened.actor()
        )

    _show_done(run(work), "changed", as_json=as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List municipalities."""

    async def work(opened: OpenDatabase) -> list[Municipality]:
        return await registry.list_municipalities(opened.connection)

    found = run(work)
    if as_json:
        for municipality in found:
            output.print_json(municipality)
        return
    rows = [
        (
            m.name,
            " / ".join(m.title.values()),
            m.time_zone,
            m.locale,
            ",".join(map(str, m.weekend)),
            "registered" if m.register_unknown else "quarantined",
        )
        for m in found
    ]
    columns = ("municipality", "title", "time zone", "locale", "week-end", "unknown devices are")
    output.table(columns, rows, empty="None yet. `nabd municipality add NAME` adds one.")


def _show_done(municipality: Municipality, done: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json(municipality)
    else:
        output.line(f"{municipality.name} is {done}.")
