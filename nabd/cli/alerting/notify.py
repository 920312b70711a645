"""`nabd notify`: the process that tells people of alerts; how it does, and whom it told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from alerts import queue
from devices.instants import to_datetime
from devices.registry.errors import NotFound
from nabd import notifying
from nabd.cli import output
from nabd.cli.alerting.channel_trial import send_test
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Json
from nabd.cli.run import load_settings, run_process
from notify.outbox import channel_health, told
from notify.outbox.attempts import DeliveryState
from notify.outbox.channel_health import ChannelHealth
from notify.outbox.told import DeliveryRecord, NotifierStanding

app = typer.Typer(help="Tell people of alerts; without a command: run until told to stop.")
app.command("test")(send_test)


@app.callback(invoke_without_command=True)
def notify(context: typer.Context) -> None:
    """Tell people of alerts; without a command: run until told to stop."""
    if context.invoked_subcommand is None:
        run_process("notify", notifying.notify(load_settings()))


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierStatus:
    """How the notifier and its channels do."""

    notifier: NotifierStanding
    channels: list[ChannelHealth]


@app.command()
def status(as_json: Json = False) -> None:
    """Show whether anybody is told, and the last answer of each channel."""

    async def work(opened: OpenDatabase) -> NotifierStatus:
        now = opened.now()
        return NotifierStatus(
            notifier=await told.standing(opened.connection, to_datetime(now)),
            channels=await channel_health.health(opened.connection, now),
        )

    found = run(work)
    if as_json:
        output.print_json(found)
        return
    notifier = found.notifier
    output.line(f"last sign of life  {output.cell(notifier.alive_at) or 'none: start `nabd notify`'}")
    output.line(f"waiting            {notifier.waiting} {_since(notifier)}".rstrip())
    output.line(f"perhaps twice      {notifier.doubtful}")
    output.table(
        ["channel", "last answer", "at", "failing since", "waiting"],
        [[c.channel, c.answer, c.answered_at, c.failing_since, c.waiting] for c in found.channels],
        empty="Nothing was sent yet.",
    )


def _since(notifier: NotifierStanding) -> str:
    return f"since {output.cell(notifier.waiting_since)}" if notifier.waiting_since else ""


@app.command()
def log(
    alert: Annotated[int | None, typer.Option(min=1, help="only what was said of this alert")] = None,
    channel: Annotated[str | None, typer.Option(help="only this channel's")] = None,
    state: Annotated[DeliveryState | None, typer.Option(help="only these")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="how many at most")] = 100,
    as_json: Json = False,
) -> None:
    """Show who was told what, when, by which channel, and the answer; the newest first."""

    async def work(opened: OpenDatabase) -> list[DeliveryRecord]:
        if alert is None:
            return await told.newest_deliveries(opened.connection, channel=channel, state=state, limit=limit)
        if await queue.get_alert(opened.connection, alert) is None:
            raise NotFound("alert", str(alert))
        found = await told.deliveries_of(opened.connection, alert)
        kept = [d for d in found if channel in (None, d.channel) and state in (None, d.state)]
        return kept[::-1][:limit]

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    output.table(
        ["due", "who", "channel", "address", "occasion", "alerts", "state", "handed over", "answer"],
        [
            [d.due_at, d.person, d.channel, d.address, _about(d), _alerts(d), d.state, d.handed_over_at,
             d.answer]
            for d in found
        ],
        empty="Nobody was told of anything.",
    )  # fmt: skip


def _about(delivery: DeliveryRecord) -> str:
    if delivery.topic is not None:
        return f"{delivery.topic} {delivery.order or ''}".rstrip()
    return delivery.occasion or f"{delivery.failing_channel} fails"


def _alerts(delivery: DeliveryRecord) -> str:
    shown = ", ".join(map(str, delivery.alerts[:5]))
    return f"{shown} and {len(delivery.alerts) - 5} more" if len(delivery.alerts) > 5 else shown
