"""`nabd source`: brokers, network servers and webhooks that speak for foreign devices."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import aiomqtt
import typer

from devices import profiles
from devices.sources import registration
from devices.sources.listing import get_source, list_sources
from devices.sources.signatures import new_secret
from devices.sources.source import NATIVE, NewSource, Source, Way
from devices.sources.translation import ALL
from devices.wire.adapters.formats import FormatAway
from nabd.bridge import trying
from nabd.bridge.upstream import SubscriptionRefused
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.run import load_settings
from nabd.starting import NotConfigured

app = typer.Typer(no_args_is_help=True, help="Sources: who speaks for foreign devices, and how it goes.")

Name = Annotated[str, typer.Argument(help="the source's name: a-z, 0-9 and -")]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]
Format = Annotated[str | None, typer.Option("--format", help=f"what it speaks: {', '.join(ALL)}")]
Ways = Annotated[Way | None, typer.Option(help="mqtt: we fetch from a broker; webhook: it posts to us")]
Gateway = Annotated[
    str | None, typer.Option(help="the gateway as whom readings are relayed; without it one of its own name")
]
Profile = Annotated[str | None, typer.Option(help="the profile that reads its devices: `nabd profile list`")]
Models = Annotated[
    list[str] | None, typer.Option("--model", help="MODEL=PROFILE, by the attribute `model` of a device")
]
Url = Annotated[
    str | None, typer.Option(help="mqtt://host[:port], mqtts:// for TLS; without it our own broker")
]
Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", help="a subscription, as often as there are any; + and # stand for levels"),
]
Protocol = Annotated[str | None, typer.Option(help="of MQTT: 5 or 3.1.1")]
Username = Annotated[str | None, typer.Option(help="our account at its broker")]
Secret = Annotated[
    Path | None,
    typer.Option(
        "--secret", help="file with the password there, or what webhooks are signed with; - reads it"
    ),
]
Authority = Annotated[
    Path | None, typer.Option(help="PEM of the authority that signed its certificate, where it is not public")
]
Enabled = Annotated[bool | None, typer.Option("--enable/--disable", help="whether it is heard")]
SHOWN = ("since", "last_message_at", "readings", "rejected", "problems")
"""What of the state of a source stands in the list."""


@app.command()
def add(
    name: Name,
    municipality: Annotated[str, typer.Option(help="the municipality of its devices")],
    format: Annotated[str, typer.Option("--format", help=f"what it speaks: {', '.join(ALL)}")],  # noqa: A002
    way: Annotated[
        Way, typer.Option(help="mqtt: we fetch from a broker; webhook: it posts to us")
    ] = Way.MQTT,
    gateway: Gateway = None,
    profile: Profile = None,
    model: Models = None,
    url: Url = None,
    topic: Topics = None,
    protocol: Protocol = None,
    username: Username = None,
    secret: Secret = None,
    authority: Authority = None,
    enabled: Enabled = None,
    as_json: Json = False,
) -> None:
    """Add a source; `nabd bridge` hears it within seconds. A gateway of its name is registered with it.

    A webhook that is given no secret gets one, which is shown this once.
    """
    given = _secret(secret) or ""
    made = new_secret() if not given and registration.needs_secret(way, format) else ""
    said = _said(
        model, topic, authority, gateway=gateway, profile=profile, url=url, protocol=protocol,
        username=username, enabled=enabled,
    )  # fmt: skip

    async def work(opened: OpenDatabase) -> Source:
        new = NewSource(name=name, municipality=municipality, format=format, way=way, **said)
        return await registration.add_source(
            opened.connection, opened.kinds, new, ALL, opened.now, secret=given or made,
            profiles=profiles.load(opened.kinds, opened.settings.profiles_dir), anywhere=True,
            by=await opened.actor(),
        )  # fmt: skip

    _done(run(work), "added", made, as_json=as_json)


@app.command()
def edit(
    name: Name,
    format: Format = None,  # noqa: A002
    way: Ways = None,
    gateway: Gateway = None,
    profile: Profile = None,
    model: Models = None,
    url: Url = None,
    topic: Topics = None,
    protocol: Protocol = None,
    username: Username = None,
    secret: Secret = None,
    authority: Authority = None,
    enabled: Enabled = None,
    as_json: Json = False,
) -> None:
    """Change what is said and keep the rest; a session with its broker begins anew."""
    changes = _said(
        model, topic, authority, format=format, way=way, gateway=gateway, profile=profile, url=url,
        protocol=protocol, username=username, enabled=enabled,
    )  # fmt: skip

    async def work(opened: OpenDatabase) -> tuple[Source, str]:
        return await registration.edit_source(
            opened.connection, opened.kinds, name, changes, ALL, opened.now, secret=_secret(secret),
            profiles=profiles.load(opened.kinds, opened.settings.profiles_dir), anywhere=True,
            by=await opened.actor(),
        )  # fmt: skip

    source, made = run(work)
    _done(source, "changed", made, as_json=as_json)


@app.command()
def remove(name: Name, as_json: Json = False) -> None:
    """Hear a source no more; its gateway, its devices and their readings stay."""

    async def work(opened: OpenDatabase) -> None:
        await registration.remove_source(opened.connection, name, opened.now, by=await opened.actor())

    run(work)
    if as_json:
        output.print_json({"removed": name})
    else:
        output.line(f"source {name} is removed; its gateway and devices stay")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List sources, and how it goes with each."""

    async def work(opened: OpenDatabase) -> list[Source]:
        return await list_sources(opened.connection)

    found = run(work)
    if as_json:
        for source in found:
            output.print_json(document(source))
        return
    columns = ["source", "municipality", "format", "way", "state", *(one.replace("_", " ") for one in SHOWN)]
    output.table(
        columns,
        [
            [s.name, s.municipality, s.format, s.way, how_it_goes(s)]
            + [getattr(s.state, one, None) for one in SHOWN]
            for s in found
        ],
        empty="There are no sources. `nabd source add` adds one.",
    )


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show everything of one source but its secret."""

    async def work(opened: OpenDatabase) -> Source:
        return await get_source(opened.connection, name)

    found = run(work)
    if as_json:
        output.print_json(document(found))
        return
    facts = document(found)
    state = facts.pop("state") or {}
    facts |= {"state": how_it_goes(found), **{key.replace("_", " "): value for key, value in state.items()}}
    output.table(["what", "value"], [[key, _text(value)] for key, value in facts.items()])


@app.command("test")
def attempt(
    name: Name,
    seconds: Annotated[float, typer.Option("--for", min=0.1, help="listen for so many seconds")] = 10.0,
    sample: Annotated[
        Path | None, typer.Option(help="a message in a file, instead of what the source says now")
    ] = None,
    topic: Annotated[str, typer.Option(help="the topic of the sample")] = "",
    as_json: Json = False,
) -> None:
    """Show what would become of a source's messages; nothing is stored, and nothing taken from it."""
    settings = load_settings()
    payload = None if sample is None else sample.read_bytes()

    async def work(opened: OpenDatabase) -> list[trying.Tried]:
        told = topic, payload
        return await trying.attempt(opened.connection, settings, name, opened.now, seconds, told)

    try:
        found = run(work)
    except (aiomqtt.MqttError, SubscriptionRefused, NotConfigured, FormatAway, OSError) as error:
        output.fail(f"source {name}: {error or type(error).__name__}")
    if as_json:
        for tried in found:
            output.print_json(tried)
        return
    for tried in found:
        output.line(f"{tried.topic} ({tried.bytes} bytes)")
        for element in tried.elements:
            output.line(
                f"  {'refused: ' + str(element['refused']) if 'refused' in element else _text(element)}"
            )
        for event in tried.events:
            output.line(f"  event: {event}")
        for problem in tried.problems:
            output.line(f"  not read: {problem}")
        if tried.unread:
            output.line(f"  left: {', '.join(f'{name} ({n})' for name, n in sorted(tried.unread.items()))}")
    if not found:
        output.line(f"connected; no message came within {seconds:g} s")


def document(source: Source) -> dict[str, Any]:
    """Return a source as programs read it."""
    told = asdict(source)
    for left_out in ("id", "municipality_id", "gateway_wire"):
        del told[left_out]
    return told


def how_it_goes(source: Source) -> str:
    """Return the state of a source in a word, and why."""
    if not source.enabled:
        return "disabled"
    if source.way is Way.WEBHOOK and source.format == NATIVE:
        return "devices post by themselves: see each"
    if source.state is None and source.way is Way.MQTT:
        return "not heard yet: is `nabd bridge` running?"
    if source.state is None or (source.way is Way.WEBHOOK and not source.state.messages):
        refused = f"; {source.state.refused:,} deliveries with another secret" if source.state else ""
        return f"nothing came yet{refused}"
    reason = f": {source.state.reason}" if source.state.reason else ""
    return f"{'connected' if source.state.connected else 'away'}{reason}"


def _said(
    models: list[str] | None, topics: list[str] | None, authority: Path | None, **plain: object
) -> dict[str, Any]:
    """Return what was said, by the field of a source; plain: what is a field as it is said."""
    said = plain | {
        "profiles": None if models is None else dict(map(_model, models)),
        "topics": None if topics is None else tuple(topics),
        "authority": None if authority is None else authority.read_text(encoding="utf-8"),
    }
    return {name: value for name, value in said.items() if value is not None}


def _model(text: str) -> tuple[str, str]:
    model, equals, profile = text.partition("=")
    if not (model and equals and profile):
        raise typer.BadParameter(f"{text!r}: expected MODEL=PROFILE", param_hint="--model")
    return model, profile


def _secret(file: Path | None) -> str | None:
    if file is None:
        return None
    return (sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")).strip()


def _text(value: object) -> str:
    return output.cell(value) if not isinstance(value, dict | list | tuple) else str(value)


def _done(source: Source, what: str, made: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json(document(source) | ({"secret": made} if made else {}))
        return
    output.line(f"source {source.name} is {what}: relayed by gateway {source.gateway}")
    if made:
        output.line(f"its secret, shown this once: {made}")
    output.line(f"its devices need it among their relays: nabd device add ... --relay {source.gateway}")
