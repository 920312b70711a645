"""`nabd demo`: a simulated town on embedded parts, in a temporary directory, gone when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.text import Text

from devices.instants import to_datetime
from nabd import logs, starting
from nabd.cli.output import complain, console, fail, line
from nabd.cli.run import EXPECTED, own_settings
from nabd.demo import report, town
from nabd.demo.town import Demo, DemoFailed
from nabd.settings import Settings
from store.failures import DATABASE_ERRORS
from store.pool import connect

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
LONGEST_PAST_DAYS = 60
"""Within what readings are kept for."""
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}


def run(
    length: Annotated[
        str | None, typer.Option("--for", help="stop after this long, for example 45s or 5m")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=1, max=600, help="run the town's clock this many times faster")
    ] = 1.0,
    seed: Annotated[int | None, typer.Option(help="same seed, same town; drawn when left out")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object at the end")] = False,
    past: Annotated[
        str, typer.Option(help="make so many days of a past in the background, such as 7d; or none")
    ] = "30d",
    keep: Annotated[
        Path | None, typer.Option(help="keep database, logs and publish log in this new directory")
    ] = None,
) -> None:
    """Run a living town: database, broker, platform and simulated devices with faults. Ctrl-C ends it.

    At the end everything that the devices published is compared with what the tables hold; the exit code is
    not 0 when a reading was lost, altered or invented, or the ledger does not balance.
    """
    seconds, past_days = _seconds(length), _days(past)
    settings = own_settings()
    if settings.database or settings.broker:
        fail("the demo brings its own database and broker: unset NABD_DATABASE and NABD_BROKER")
    if keep is not None and keep.is_dir() and any(keep.iterdir()):
        fail(f"{keep} is not empty: a demo can only judge what it published itself; name a new directory")
    logs.configure("demo")
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    with contextlib.ExitStack() as stack:
        directory = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nabd-demo-")))
        directory.mkdir(parents=True, exist_ok=True)
        try:
            found = asyncio.run(_run(directory, settings, seconds, speed, chosen, past_days, as_json))
        except (DemoFailed, *EXPECTED) as error:
            fail(str(error))
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _tell(found)
    if found["lost"] or found["unexpected"] or found["altered"] or not found["ledger_balanced"]:
        fail("the proof does not hold: see lost, unexpected, altered and ledger_balanced above")


def _seconds(length: str | None) -> float | None:
    if length is None:
        return None
    match = _LENGTH.fullmatch(length.strip())
    if not match:
        raise typer.BadParameter("expected a number with s, m or h, for example 45s", param_hint="--for")
    return float(match[1]) * _SECONDS[match[2]]


def _days(past: str) -> float:
    if past.strip() == "none":
        return 0.0
    match = re.fullmatch(r"(\d{1,2})d", past.strip())
    if not match or not 1 <= int(match[1]) <= LONGEST_PAST_DAYS:
        expected = f"expected 1d to {LONGEST_PAST_DAYS}d, or none"
        raise typer.BadParameter(expected, param_hint="--past")
    return float(match[1])


async def _run(
    directory: Path,
    settings: Settings,
    seconds: float | None,
    speed: float,
    seed: int,
    past_days: float,
    as_json: bool,
) -> dict[str, object]:
    stop = starting.stop_on_signals()
    tell = complain if as_json else line
    opening = town.running(
        directory, settings=settings, speed=speed, seed=seed, past_days=past_days, tell=tell
    )
    async with opening as demo:
        _announce(demo, tell_json=as_json)
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, stop.set)
        showing = asyncio.create_task(_show(demo)) if not as_json else None
        still = asyncio.Event()
        if demo.past is not None:
            await demo.past.start()
        working = asyncio.create_task(demo.crew.run())
        ending = asyncio.create_task(_end(demo, stop, still))
        speaking = asyncio.create_task(demo.lorawan.run(still))
        await demo.fleet.run(still, drain_s=15.0)
        await ending
        await speaking
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        if demo.past is not None:
            await demo.past.stop()
            tell(demo.past.progress.said())
        if showing is not None:
            showing.cancel()
        tell("stopping; waiting until everything is committed, then comparing")
        await report.settled(demo)
        await demo.supervisor.stop(["ingest"])
        return await report.report(demo)


async def _end(demo: Demo, stop: asyncio.Event, still: asyncio.Event) -> None:
    """Stop the simulated devices, after the sweep has stopped: it must not find them silent."""
    await stop.wait()
    await demo.supervisor.stop(["sweep"])
    still.set()


def _announce(demo: Demo, *, tell_json: bool) -> None:
    say = complain if tell_json else line
    say(f"database  {demo.parts.database}")
    say(f"broker    {demo.parts.broker}")
    say(f"town      {demo.town.place.title['en']}, {len(demo.town.devices)} devices, seed {demo.town.seed}")
    models = ", ".join(sorted({one.city.model.name for one in demo.lorawan.registered}))
    say(f"lorawan   {len(demo.lorawan.registered)} devices of other vendors ({models}) behind a ChirpStack;")
    say("          one more that nobody registered waits in quarantine")
    names = ["database", "broker"]
    if demo.clock.speed != 1:
        say(f"clock     runs {demo.clock.speed:g} times as fast as yours")
        names.append("clock")
    # With these set, every other command works on this town.
    for name in names:
        say(f"          NABD_{name.upper()}={getattr(demo.parts.settings, name)}")
    say(f"console   {demo.url}")
    say("          signs in as administrator, once, within ten minutes; `nabd user first` makes another")
    say(f"inbox     {demo.inbox.address.url}/  what people are told; nothing leaves this machine")
    for link in demo.links:
        say(f"{link.person.occupation:<14}{link.url}  {link.person.display_name}")
    say("          each of these signs in once, within twelve hours")
    say("Ctrl-C ends the town and compares what was published with what is stored")


_STATUS = """
SELECT
    (SELECT coalesce(sum(stored), 0) FROM ledger WHERE received_at >= $1) AS stored,
    (SELECT coalesce(sum(rejected), 0) FROM ledger WHERE received_at >= $1) AS rejected,
    (SELECT count(*) FROM alert WHERE detected_at >= $1) AS opened,
    (SELECT count(*) FROM alert WHERE state = 'firing') AS firing
"""

_NEWS = """
SELECT a.id, a.severity, a.summary ->> 'en' AS summary, a.opened_at
FROM alert AS a
WHERE a.id > $1 AND a.detected_at >= $2
ORDER BY a.id
LIMIT 20
"""


async def _show(demo: Demo) -> None:
    """Print alerts as they open, above one line of counts that is kept up to date."""
    assert demo.parts.settings.database is not None
    connection = await connect(demo.parts.settings.database)
    colours = {"critical": "bold red", "major": "red", "minor": "yellow", "warning": "cyan"}
    newest, began = 0, to_datetime(demo.clock.scaled)
    try:
        with Live(console=console(), refresh_per_second=4, transient=True) as live:
            while True:
                for row in await connection.fetch(_NEWS, newest, began):
                    newest = row["id"]
                    when = f"{row['opened_at']:%H:%M:%S}Z"
                    live.console.print(
                        Text.assemble(
                            when, " ", (f"{row['severity']:<9}", colours[row["severity"]]), row["summary"]
                        )
                    )
                counts = await connection.fetchrow(_STATUS, began)
                published = demo.fleet.counts.published + demo.lorawan.sent
                assert counts is not None
                past = f"  {demo.past.progress.said()}" if demo.past is not None else ""
                live.update(
                    Text(
                        f"published {published}  stored {counts['stored']}"
                        f"  rejected {counts['rejected']}"
                        f"  alerts {counts['firing']} open, {counts['opened']} in all{past}"
                    )
                )
                await asyncio.sleep(0.5)
    except DATABASE_ERRORS:
        return  # the demo goes on without the table
    finally:
        await connection.close()


def _tell(found: dict[str, object]) -> None:
    line("")
    for names in (
        ("published", "received", "stored", "merged", "duplicates", "rejected"),
        ("lost", "unexpected", "altered", "ledger_balanced"),
        ("alerts_opened", "alerts_resolved", "faults", "faults_detected", "faults_missed", "false_alerts"),
        ("publish_to_commit_ms", "publish_to_alert_ms"),
    ):
        line("   ".join(f"{name.replace('_', ' ')}: {found[name]}" for name in names))
    foreign = found["lorawan"]
    assert isinstance(foreign, dict)
    line("lorawan: " + "   ".join(f"{name}: {counted}" for name, counted in foreign.items()))
