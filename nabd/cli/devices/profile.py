"""`nabd profile`: how models of other vendors are read; what a profile makes of a message, offline."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from devices import kinds, profiles
from devices.codecs.codec import CodecFailed, CodecsAway
from devices.codecs.pool import Codecs
from devices.codecs.profiled import encoded
from devices.codecs.trying import try_all
from devices.commands.new_command import check_args
from devices.kinds.commands import known_commands
from devices.kinds.kind import KindError
from devices.profiles import Profiles
from devices.profiles.shown import described, measured
from devices.profiles.trial import ProfileTrial, TrialMessage
from devices.registry.errors import RegistryError
from devices.suggestion import meant
from devices.wire.adapters.downlink import Downlink, NotEncoded
from devices.wire.adapters.formats import FORMATS
from devices.wire.adapters.profile import NoReading, Profile, ProfileRefused
from devices.wire.adapters.profile.downlinks import ProfileDownlink
from devices.wire.adapters.profile.message import decoded
from devices.wire.adapters.profile.profile import differences
from nabd import clock
from nabd.cli import values
from nabd.cli.output import complain, fail, line, print_json, table
from nabd.cli.run import load_settings
from nabd.settings import Settings

app = typer.Typer(no_args_is_help=True, help="See, check and try how models of other vendors are read.")

Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """List the profiles there are. Exits with 1 when one of your own is refused, with its mistakes."""
    found = _loaded()
    rows = [_summary(found, name) for name in found] + [
        {"profile": name, "vendor": "", "model": "", "kinds": [kind], "own": False, "waits_for_kind": kind}
        for name, kind in found.waiting.items()
    ]
    if as_json:
        for row in rows:
            print_json(row)
    else:
        table(
            ["profile", "vendor", "model", "kind", "from"],
            [[r["profile"], r["vendor"], r["model"], ", ".join(r["kinds"]), _origin(r)] for r in rows],
        )
    for mistake in found.refused:
        complain(str(mistake))
    if found.refused:
        raise typer.Exit(1)


@app.command()
def show(
    profile: Annotated[str, typer.Argument(help="its name, or a file")],
    source: Annotated[bool, typer.Option("--source", help="print the file, to make one of your own")] = False,
    kind: Annotated[
        bool, typer.Option("--kind", help="print the declaration of a kind that it waits for")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what a profile reads: each measurement, where it stands and in which unit."""
    one, file, _ = _profile(profile)
    if source:
        typer.echo(one.source, nl=False)
        return
    if kind:
        _print_declarations(one)
        return
    rows = [{"from": said.pop("paths"), **said} for said in measured(one)]
    if as_json:
        examples = [{"says": e.says, "gives": list(e.gives)} for e in one.examples]
        print_json({**described(one), "file": str(file), "measurements": rows, "examples": examples})
        return
    line(f"{one.title['en']}, {' '.join(part for part in (one.vendor, one.model) if part)}")
    if one.documented:
        line(f"documented: {one.documented}")
    if one.codec:
        line(f"codec: {one.codec}")
    if one.downlinks:
        line(f"commands: {', '.join(one.downlinks)}")
    table(
        ["kind", "measurement", "stands at", "in", "becomes"],
        [[r["kind"], r["measurement"], " or ".join(r["from"]), r["unit"], r["becomes"]] for r in rows],
    )
    line(f"{len(one.examples)} documented messages; `nabd profile check` runs those of a file")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="profiles in TOML")],
    as_json: Json = False,
) -> None:
    """Say what is wrong in profiles, and whether their examples give what they say. Exits with 1 if not."""
    declared = _kinds(load_settings())
    wrong = False
    for file in files:
        found = _check(file, declared)
        wrong = wrong or bool(found["mistakes"] or found["differences"])
        if as_json:
            print_json(found)
            continue
        for mistake in found["mistakes"]:
            complain(mistake["text"])
        for difference in found["differences"]:
            complain(f"{file}: example {difference['example']!r}: {difference['text']}")
        if not found["mistakes"] and not found["differences"]:
            line(f"{file}: nothing wrong; {found['examples']} examples give what they say")
    if wrong:
        raise typer.Exit(1)


@app.command(name="test")
def try_message(
    profile: Annotated[str, typer.Argument(help="its name, or a file")],
    sample: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="a message as it came")
    ] = None,
    hex_: Annotated[str, typer.Option("--hex", help="the device's bytes alone, in hexadecimal")] = "",
    port: Annotated[int | None, typer.Option(min=0, max=255, help="LoRaWAN's FPort of the bytes")] = None,
    counter: Annotated[int | None, typer.Option(min=0, help="the frame counter of the bytes")] = None,
    format_: Annotated[
        str, typer.Option("--format", help=f"of the sample: {', '.join(FORMATS)}; empty: plain JSON")
    ] = "",
    device: Annotated[str, typer.Option(help="what the device is called, where nothing else says")] = "",
    topic: Annotated[str, typer.Option(help="where the sample came on")] = "",
    as_json: Json = False,
) -> None:
    """Show the reading that a message becomes, and what was left of it. Exits with 1 where there is none."""
    if (sample is None) == (not hex_):
        raise typer.BadParameter("give a message as --sample FILE, or bytes as --hex")
    if format_ and format_ not in FORMATS:
        raise typer.BadParameter(f"known are {', '.join(FORMATS)}", param_hint="--format")
    one, _, codec = _profile(profile)
    try:
        message = TrialMessage(
            document=sample.read_bytes() if sample is not None else None,
            payload=decoded(hex_, "hex") if hex_ else None,
            port=port,
            counter=counter,
            device=device,
            topic=topic,
            format=format_,
            at=clock.wall(),
        )
        uplinks = message.uplinks(one.message)
    except ValueError as error:
        fail(str(error))
    try:
        trials = asyncio.run(try_all(one, codec, uplinks, clock.wall(), topic))
    except (CodecFailed, CodecsAway) as error:
        fail(f"codec {one.codec}: {error}")
    for trial in trials:
        if as_json:
            print_json({"profile": one.name, **asdict(trial)})
        else:
            _print(trial)
    if any(trial.refused for trial in trials):
        raise typer.Exit(1)


@app.command()
def encode(
    profile: Annotated[str, typer.Argument(help="its name, or a file")],
    command: Annotated[str, typer.Argument(help="what a device is told, for example reboot")],
    arg: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed")] = None,
    as_json: Json = False,
) -> None:
    """Show what a command is for devices of a profile, as bytes. Nothing is sent."""
    one, _, codec = _profile(profile)
    said = one.downlinks.get(command)
    if said is None:
        fail(f"{one.name} does not say how {command} is encoded; {meant(command, one.downlinks)}")
    declared = next(known[command] for r in one.readings if command in (known := known_commands(r.kind)))
    args = values.arguments(arg or (), declared)
    try:
        check_args(declared, args)
        made = asyncio.run(_encoded(said, args, codec))
    except (RegistryError, NotEncoded, CodecFailed, CodecsAway) as error:
        fail(str(error))
    found = {"port": made.port, "hex": made.payload.hex(), "confirmed": made.confirmed}
    if as_json:
        print_json({"profile": one.name, "command": command, **found})
    else:
        line(f"port {made.port}: {made.payload.hex(' ')}{', confirmed' if made.confirmed else ''}")


async def _encoded(said: ProfileDownlink, args: dict[str, Any], codec: Path | None) -> Downlink:
    async with Codecs() as codecs:
        return await encoded(codecs, codec, said, args)


def _print_declarations(profile: Profile) -> None:
    files = [file for name in profile.kinds if (file := profiles.KINDS / f"{name}.toml").exists()]
    if not files:
        fail(f"{profile.name} is for {', '.join(profile.kinds)}, which Nabd declares itself")
    for file in files:
        typer.echo(file.read_text(encoding="utf-8"), nl=False)


def _kinds(settings: Settings) -> kinds.Kinds:
    """Return the declared kinds, and those that shipped profiles are for."""
    try:
        return kinds.load(profiles.KINDS) | kinds.load(settings.kinds_dir)
    except KindError as error:
        fail(str(error))


def _loaded() -> Profiles:
    settings = load_settings()
    try:
        return profiles.load(kinds.load(settings.kinds_dir), settings.profiles_dir)
    except KindError as error:
        fail(str(error))


def _profile(name: str) -> tuple[Profile, Path, Path | None]:
    """Return a profile by its name or file, with its file, and its codec where it has one."""
    settings = load_settings()
    declared = _kinds(settings)
    found = profiles.load(declared, settings.profiles_dir)
    if name in found:
        return found[name], found.files[name], found.codec(name)
    if not Path(name).is_file():
        fail(f"there is no profile {name}, nor a file of that name: `nabd profile list` lists them")
    file = Path(name)
    try:
        one = profiles.read(file, declared)
    except ProfileRefused as refused:
        fail(str(refused))
    return one, file, file.parent / one.codec if one.codec else None


def _check(file: Path, declared: kinds.Kinds) -> dict[str, Any]:
    """Return every mistake of a file, and each example that gives something else than it says."""
    found: dict[str, Any] = {"file": str(file), "mistakes": [], "differences": [], "examples": 0}
    try:
        profile = profiles.read(file, declared)
    except ProfileRefused as refused:
        found["mistakes"] = [
            {
                "text": str(e),
                "message": e.message,
                "line": e.line,
                "column": e.column,
                "suggestion": e.suggestion,
            }
            for e in refused.errors
        ]
        return found
    found |= {"profile": profile.name, "examples": len(profile.examples)}
    if profile.codec:
        return found  # examples of bytes need the codec: `nabd profile test` runs it
    for example in profile.examples:
        try:
            said = differences(example, profile.read(example.uplink))
        except NoReading as refused:
            said = differences(example, refused)
        found["differences"] += [{"example": example.says, "text": text} for text in said]
    return found


def _print(trial: ProfileTrial) -> None:
    for reading in trial.readings:
        line(f"{reading['kind']} {reading['device']}, {reading.get('ts', 'without a time')}")
        table(
            ["measurement", "value"],
            [[k, v] for k, v in reading.items() if k not in ("kind", "device", "ts")],
        )
    if trial.refused is not None:
        complain(trial.refused)
    told = itertools.chain(
        (("could not be converted", one) for one in trial.problems),
        (("not measured", one) for one in trial.absent),
        (("left", one) for one in trial.unread),
    )
    rows = [[said, one["where"], one["value"], one["why"]] for said, one in told]
    if rows:
        table(["what", "at", "value", "why"], rows)


def _summary(found: Profiles, name: str) -> dict[str, Any]:
    return {**described(found[name]), "own": found.is_own(name), "waits_for_kind": None}


def _origin(row: Mapping[str, Any]) -> str:
    if row["waits_for_kind"]:
        return f"waits for its kind: nabd profile show {row['profile']} --kind"
    return "your directory" if row["own"] else "Nabd"
