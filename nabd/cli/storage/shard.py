"""`nabd shard`: municipalities divided among several ingests, each with a session of its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ingest.commit import division
from ingest.commit.division import ShardStanding
from nabd import dividing, starting
from nabd.broker.source import MessageSource
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.dividing import DivisionPlan

app = typer.Typer(no_args_is_help=True, help="Divide municipalities among several ingests.")

Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List shards: what each owns, and how its ingest is."""

    async def work(opened: OpenDatabase) -> list[ShardStanding]:
        return await division.list_shards(opened.connection)

    found = run(work)
    if as_json:
        for shard in found:
            output.print_json(asdict(shard))
        return
    output.table(
        ["shard", "municipalities", "devices", "batch", "alive", "caught up since", "client id"],
        [
            [
                s.name,
                ", ".join(f"{m} (arriving)" if m in s.arriving else m for m in s.municipalities) or "none",
                s.devices,
                s.batch,
                s.alive_at or "never",
                s.caught_up_at,
                s.client_id,
            ]
            for s in found
        ],
    )


@app.command()
def add(name: Annotated[str, typer.Argument(help="a-z, 0-9 and -")], as_json: Json = False) -> None:
    """Add a shard, which owns nothing yet."""

    async def work(opened: OpenDatabase) -> ShardStanding:
        return await division.add_shard(opened.connection, name, opened.now, by=await opened.actor())

    made = run(work)
    if as_json:
        output.print_json(asdict(made))
        return
    output.line(f"shard {name} added; start its ingest with NABD_SHARD={name}, then `nabd shard divide`")


@app.command()
def divide(
    municipality: Annotated[list[str], typer.Argument(help="which municipalities move")],
    to: Annotated[str, typer.Option(help="the shard that is to own them")],
    within: Annotated[
        float, typer.Option(min=1, help="seconds that the ingest of a shard that is left may take to drain")
    ] = 60.0,
    as_json: Json = False,
) -> None:
    """Move municipalities to another shard while both ingests run: they pause, nothing is lost."""

    async def work(opened: OpenDatabase) -> list[division.Move]:
        if opened.settings.stream:
            raise dividing.BrokerUnavailable(
                "NABD_STREAM serves one shard, which owns everything: a consumer of JetStream forgets what"
                " waits when its filters change; to divide, let devices speak MQTT 5 to a broker"
            )
        plan = DivisionPlan(
            municipalities=municipality,
            to=to,
            source=lambda: _source(opened),
            kinds=opened.kinds,
            now=opened.now,
            within_s=within,
        )
        tell = output.line if not as_json else _say_nothing
        return await dividing.divide(opened.connection, plan, tell, by=await opened.actor())

    moved = run(work)
    if as_json:
        output.print_json(
            {"to": to, "moved": [{"municipality": m.name, "from": m.from_shard} for m in moved]}
        )
    elif moved:
        output.line(f"shard {to} owns {', '.join(m.name for m in moved)}")
    else:
        output.line(f"shard {to} owned all of these already")


def _say_nothing(_: str) -> None:
    """Print nothing between the lines of JSON."""


def _source(opened: OpenDatabase) -> MessageSource:
    try:
        return starting.message_source(opened.settings)
    except starting.NotConfigured as error:
        raise dividing.BrokerUnavailable(str(error)) from error
