"""`nabd bench`: one file a command."""

from __future__ import annotations

import typer

from bench.cli.charts import charts
from bench.cli.codecs import codecs
from bench.cli.compare import compare
from bench.cli.console import console
from bench.cli.credentials import credentials
from bench.cli.ingest import ingest
from bench.cli.notify import notify, notify_kills
from bench.cli.production import production
from bench.cli.queries import queries
from bench.cli.rules import rules
from bench.cli.screens import screens
from bench.cli.shards import shards
from bench.cli.tasks import tasks

app = typer.Typer(no_args_is_help=True, help="Measure this machine.")
app.command()(rules)
app.command()(ingest)
app.command()(compare)
app.command()(charts)
app.command()(credentials)
app.command()(notify)
app.command()(notify_kills)
app.command()(production)
app.command()(queries)
app.command()(console)
app.command()(screens)
app.command()(tasks)
app.command()(shards)
app.command()(codecs)
