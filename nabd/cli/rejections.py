"""`nabd rejections`: what was not stored and why; replay of devices that are registered by now."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from devices.wire import raw
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from readings import quarantine
from readings.rejections import Rejection, list_rejections

PAYLOAD_SHOWN = 60
LOOK_EVERY_S = 0.5


def rejections(
    device: Annotated[str | None, typer.Option(help="only those of this device")] = None,
    reason: Annotated[str | None, typer.Option(help="only this reason, for example bad_value")] = None,
    municipality: Annotated[str | None, typer.Option(help="only topics of this municipality")] = None,
    before: Annotated[int | None, typer.Option(help="continue before this id")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on printing what comes")] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="receive again what --device has in quarantine")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON: one object a line")] = False,
) -> None:
    """List what was not stored, newest first: topic, reason and the bytes that arrived."""
    if replay:
        if device is None:
            raise typer.BadParameter("--replay needs --device")
        _replay(device, as_json=as_json)
        return

    async def work(opened: OpenDatabase) -> None:
        found = await list_rejections(
            opened.connection,
            device=device,
            reason=reason,
            municipality=municipality,
            before=before,
            limit=limit,
        )
        if not follow:
            _print_page(found, limit, as_json=as_json)
            return
        last = 0
        for rejection in reversed(found):
            _print_line(rejection, as_json=as_json)
            last = rejection.id
        await _follow(opened, last, device, reason, municipality, as_json=as_json)

    try:
        run(work)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


async def _follow(
    opened: OpenDatabase,
    last: int,
    device: str | None,
    reason: str | None,
    municipality: str | None,
    *,
    as_json: bool,
) -> None:
    """Print new rejections until interrupted."""
    while True:
        following = await list_rejections(
            opened.connection, device=device, reason=reason, municipality=municipality, after=last, limit=1000
        )
        for rejection in following:
            _print_line(rejection, as_json=as_json)
            last = rejection.id
        await asyncio.sleep(LOOK_EVERY_S)


def _replay(device: str, *, as_json: bool) -> None:
    async def work(opened: OpenDatabase) -> int:
        return await quarantine.request_replay(opened.connection, device, opened.now, by=await opened.actor())

    waiting = run(work)
    if as_json:
        output.print_json({"device": device, "replayed": waiting})
    else:
        output.line(f"{waiting} rejections of {device} will be received again.")


def _print_page(found: list[Rejection], limit: int, *, as_json: bool) -> None:
    if as_json:
        for rejection in found:
            output.print_json(_document(rejection))
        return
    rows = [
        (r.id, r.received_at, r.device, r.reason, r.pointer, r.detail, _excerpt(r.payload), r.replayed_at)
        for r in found
    ]
    columns = ("id", "received", "device", "reason", "where", "detail", "payload", "replayed")
    output.table(columns, rows, empty="Nothing was rejected.")
    if len(found) == limit:
        output.line(f"There may be more: --before {found[-1].id}")


def _print_line(rejection: Rejection, *, as_json: bool) -> None:
    if as_json:
        output.print_json(_document(rejection))
        return
    r = rejection
    parts = (output.cell(r.received_at), r.topic, r.reason, r.pointer, r.detail, _excerpt(r.payload))
    output.line("  ".join(output.cell(part) for part in parts if part))


def _document(rejection: Rejection) -> dict[str, Any]:
    fields = asdict(rejection)
    payload = fields.pop("payload")
    sent = raw.sent_by_device(payload)
    shown = {} if sent is None else {"sent": raw.shown(sent)}
    return fields | output.payload_fields(payload) | shown


def _excerpt(payload: bytes) -> str:
    sent = raw.sent_by_device(payload)
    text = payload[: PAYLOAD_SHOWN * 4].decode("utf-8", "replace") if sent is None else raw.shown(sent)
    return text if len(text) <= PAYLOAD_SHOWN else text[: PAYLOAD_SHOWN - 1] + "…"
