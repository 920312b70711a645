"""`nabd alive PROCESS`: whether a process of this installation works; for health checks of containers."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated
from urllib.request import urlopen

import typer

from devices.instants import to_microseconds
from nabd import clock
from nabd.cli import output
from nabd.cli.run import EXPECTED, load_settings
from nabd.first_link import base_of
from nabd.readiness import ALIVE_S
from nabd.settings import Settings
from nabd.starting import database_of
from store.pool import connect


class Process(StrEnum):
    """A process that lasts."""

    INGEST = "ingest"
    SWEEP = "sweep"
    NOTIFY = "notify"
    BRIDGE = "bridge"
    API = "api"


_SIGNS = {
    Process.INGEST: "SELECT max(alive_at) FROM shard",
    Process.SWEEP: "SELECT max(swept_at) FROM sweep_run",
    Process.NOTIFY: "SELECT max(alive_at) FROM notifier",
    Process.BRIDGE: """
        SELECT CASE WHEN count(*) = 0 THEN now() ELSE max(state.alive_at) END
        FROM source AS s LEFT JOIN source_state AS state ON s.id = state.source_id
        WHERE s.way = 'mqtt' AND s.enabled
    """,
}
"""Each asks only what the process's own account may read."""
ANSWERS_WITHIN_S = 3.0


def alive(
    process: Annotated[Process, typer.Argument(help="whose sign of life is looked for")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Exit with 0 where a process has just given a sign of life, else 1; asks as the process would itself.

    Of two of a kind one works: this is about the work. `nabd doctor` looks at everything.
    """
    settings = load_settings()
    try:
        wrong = _api(settings) if process is Process.API else asyncio.run(_silent(settings, process))
    except EXPECTED as error:
        wrong = str(error)
    if as_json:
        output.print_json({"process": process, "alive": not wrong, "wrong": wrong or None})
    elif not wrong:
        output.line(f"{process} is alive")
    if wrong and not as_json:
        output.complain(f"{process}: {wrong}")
    if wrong:
        raise typer.Exit(1)


async def _silent(settings: Settings, process: Process) -> str:
    connection = await connect(database_of(settings), timeout_s=ANSWERS_WITHIN_S)
    try:
        alive_at = await connection.fetchval(_SIGNS[process])
    finally:
        await connection.close()
    if alive_at is None:
        return "has never given a sign of life: read its log"
    now, speed = clock.parse(settings.clock)
    silent_s = (now() - to_microseconds(alive_at)) / 1e6 / speed
    return "" if silent_s < ALIVE_S else f"silent for {silent_s:.0f} s: read its log"


def _api(settings: Settings) -> str:
    try:
        with urlopen(f"{base_of(settings)}/healthz", timeout=ANSWERS_WITHIN_S):  # noqa: S310 - ours, http
            return ""
    except OSError as error:
        return f"does not answer at {base_of(settings)}: {error}"
