"""`nabd device read` and `readings-by-hand`: what somebody reads off a device, as any reading of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer

from devices.instants import rfc3339
from devices.registry.registry import Device, get_device
from devices.relay import Outcome, Relay
from devices.wire.topics import hand_gateway
from nabd.broker.client import client
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.starting import NotConfigured, broker_of
from readings.by_hand import entries, form
from readings.by_hand.entries import HandReading, NewHandReading

PATIENCE_S = 25.0
Name = Annotated[str, typer.Argument(metavar="DEVICE", help="the device")]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]


def read(
    device: Name,
    measured: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE...", help="what was read, in the units of the kind")
    ],
    at: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="when, with offset, or 2h for two hours ago; now without it"),
    ] = None,
    note: Annotated[str, typer.Option(help="what else is to be known")] = "",
    reset: Annotated[bool, typer.Option("--reset", help="a counter is less: the meter was replaced")] = False,
    as_json: Json = False,
) -> None:
    """Enter a reading by hand: rules judge it, charts show it, and it says who entered it."""
    texts = values.pairs(measured)

    async def work(opened: OpenDatabase) -> HandReading:
        known = await get_device(opened.connection, device)
        kind = opened.kinds.get(known.kind)
        said = form.parsed(kind, texts) if kind else texts
        observed_at = values.instant(at, opened.now()) if at else None
        new = NewHandReading(measurements=said, observed_at=observed_at, note=note, reset=reset)
        by = await opened.actor()
        entry = await entries.enter(opened.connection, opened.kinds, known, new, opened.now, by=by)
        if entry.stored_at is None:
            outcome = await _sent(opened, known, entry)
            entry = await entries.settle(opened.connection, known, entry, outcome.reason, opened.now, by=by)
            if not outcome.settled:
                output.fail(f"rejected: {outcome.reason} {outcome.pointer}".rstrip())
        return entry

    stored = run(work)
    if as_json:
        output.print_json(stored)
    else:
        output.line(f"Stored: {stored.device}, {rfc3339(stored.observed_at)}, {_words(stored)}")


async def _sent(opened: OpenDatabase, device: Device, entry: HandReading) -> Outcome:
    try:
        broker = broker_of(opened.settings)
    except NotConfigured as error:
        output.fail(str(error))
    relay = Relay(hand_gateway(device.municipality), lambda: client(broker), opened.now, quiet=True)
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            [outcome] = await relay.send([entry.element(device)])
    except TimeoutError:
        at = rfc3339(entry.observed_at)
        why = relay.state.reason or "ingest has sent no receipt"
        output.fail(f"nothing is stored yet ({why}): say the same again, with --at {at}")
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return outcome


def readings_by_hand(
    device: Name,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")] = 100,
    as_json: Json = False,
) -> None:
    """Show what people entered of a device and is stored, the last first."""

    async def work(opened: OpenDatabase) -> Sequence[HandReading]:
        known = await get_device(opened.connection, device)
        return await entries.list_hand_readings(opened.connection, opened.kinds, known, limit=limit)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [(one.observed_at, _words(one), one.author, one.entered_at, one.note) for one in found]
    columns = ("observed at", "values", "by", "entered at", "note")
    output.table(columns, rows, empty="Nobody has entered a reading of it.")


def _words(entry: HandReading) -> str:
    return " ".join(f"{name}={output.cell(value)}" for name, value in entry.measurements.items())
