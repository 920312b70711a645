"""The `nabd` command. Each file here is one command or one group of them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nabd.cli import (
    bench,
    command,
    demo,
    device,
    doctor,
    ledger,
    maintenance,
    municipality,
    rejections,
    run,
    tail,
    validate,
)
from nabd.cli.alerting import alert, channel_trial, notify, silence
from nabd.cli.people import audit, token, user
from nabd.cli.routing import on_call, route, team
from nabd.cli.rules import rule
from nabd.cli.version import print_version
from nabd.cli.work import calendar as work_calendar
from nabd.cli.work import figures, report
from nabd.cli.work import orders as work_orders
from nabd.cli.work import plans as work_plans
from nabd.cli.work import steps as work_steps
from nabd.cli.work import targets as work_targets

app = typer.Typer(
    no_args_is_help=True,
    help="Nabd (نبض): every reading of a smart city committed, watched and acted upon.",
    epilog="Settings are environment variables NABD_*, listed in docs/operations.md.",
    pretty_exceptions_enable=False,
)
app.command(name="demo")(demo.run)
app.command()(run.up)
app.command()(run.ingest)
app.command()(run.sweep)
app.command()(run.api)
notify.app.command(name="test")(channel_trial.send_test)
app.add_typer(notify.app, name="notify")
app.command()(run.sim)
app.command()(run.migrate)
app.command(name="doctor")(doctor.show)
app.command(name="ledger")(ledger.show)
app.command()(rejections.rejections)
app.command()(tail.tail)
app.command()(command.command)
app.command()(validate.validate)
app.add_typer(device.app, name="device")
app.add_typer(municipality.app, name="municipality")
app.add_typer(user.app, name="user")
app.add_typer(token.app, name="token")
bench.add_to(app)
app.add_typer(rule.app, name="rule")
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(route.app, name="route")
app.add_typer(team.app, name="team")
app.add_typer(on_call.app, name="on-call")
app.add_typer(alert.app, name="alert")
app.add_typer(silence.app, name="silence")
work_orders.app.add_typer(work_steps.app)
work_plans.add_to(work_orders.app)
app.add_typer(work_orders.app, name="work")
app.add_typer(work_plans.app, name="work-plan")
app.add_typer(work_calendar.app, name="calendar")
app.add_typer(work_targets.app, name="sla")
app.command(name="figures")(figures.show)
app.add_typer(report.app, name="report")
app.add_typer(audit.app, name="audit")


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Hold the options that come before a command."""


def main() -> None:
    """Run the command line; Ctrl-C ends it without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
