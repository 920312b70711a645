"""Options that several commands about devices have."""

from __future__ import annotations

from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="the id the device uses on the wire")]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]
Title = Annotated[str | None, typer.Option(help="what people call it")]
TitleIn = Annotated[
    list[str] | None,
    typer.Option(help="LANGUAGE=TITLE, where it is called otherwise there; an empty one takes it away"),
]
Lat = Annotated[float | None, typer.Option(help="latitude, -90 to 90")]
Lon = Annotated[float | None, typer.Option(help="longitude, -180 to 180")]
Attr = Annotated[
    list[str] | None, typer.Option(help="NAME=VALUE, as often as needed; an empty value takes it away")
]
District = Annotated[str | None, typer.Option(help="code of its district; auto: the one in which it stands")]
Installed = Annotated[
    str | None, typer.Option(help="since when it stands there: an instant, or how long ago, such as 2d")
]
Planned = Annotated[bool, typer.Option("--planned", help="not installed yet: nothing is expected of it")]
Parent = Annotated[str | None, typer.Option(help="the circuit or cabinet that feeds it")]
Serial = Annotated[str | None, typer.Option(help="serial number of its hardware")]
Relay = Annotated[list[str] | None, typer.Option(help="a gateway that relays it, as often as there are any")]
