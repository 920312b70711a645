"""`nabd validate FILE --kind K`: what ingest would say of a payload, offline, with the same code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from devices import kinds
from devices.columns import Columns
from devices.instants import to_datetime
from devices.kinds import Kinds
from devices.kinds.kind import CLOCK_CORRECTED, CLOCK_UNSET, UNDATED, KindError
from devices.registry.registry import Device, Municipality, Registry
from devices.wire import Decoder
from devices.wire.topics import Channel, Topic
from ingest.broker.intake import Intake
from ingest.decide.batch import Batch, decide
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from ingest.decide.last_values import LastValues
from nabd import clock
from nabd.cli.output import fail, print_json, table
from nabd.cli.remarks import hints, measured, remarks
from nabd.cli.run import load_settings


def validate(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="one payload each")],
    kind: Annotated[str, typer.Option(help="whose reading it is: bin, light, drone or any declared kind")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
) -> None:
    """Check payloads as ingest would, received now. Exits with 1 when something is refused."""
    try:
        declared = kinds.load(load_settings().kinds_dir)
    except KindError as error:
        fail(str(error))
    if kind not in declared:
        raise typer.BadParameter(f"no such kind; declared are {', '.join(declared)}", param_hint="--kind")
    results = _check(declared, kind, files)
    if as_json:
        for result in results:
            print_json(result)
    else:
        rows = [[r["file"], r["pointer"], r["outcome"], r["detail"]] for r in results]
        table(["file", "element", "outcome", "detail"], rows)
    if any(result["outcome"] != "accepted" for result in results):
        raise typer.Exit(1)


def _check(declared: Kinds, kind: str, files: list[Path]) -> list[dict[str, Any]]:
    """Decide about each file as if a registered device of its own had just published it."""
    batch = _decide(declared, kind, [path.read_bytes() for path in files])
    accepted = batch.accepted.get(kind)
    results: list[dict[str, Any]] = [
        {
            "file": str(files[r.rejected.message]),
            "pointer": r.rejected.pointer,
            "outcome": str(r.rejected.reason),
            "detail": r.rejected.detail,
        }
        for r in batch.refused
    ]
    if accepted is not None:
        origins = batch.origins[kind]
        columns = accepted.columns
        columns.quality = LastValues(columns.kind).judge(columns)
        results += [
            {
                "file": str(files[int(columns.message[i])]),
                "pointer": origins.decoder.pointer(int(origins.element[row])),
                "outcome": "accepted",
                "detail": _said(columns, i),
                "measurements": measured(columns, i),
                "extra": hints(columns, i),
            }
            for i, row in enumerate(accepted.row.tolist())
        ]
    return sorted(results, key=lambda result: (result["file"], result["pointer"]))


def _decide(declared: Kinds, kind: str, payloads: list[bytes]) -> Batch:
    town = Municipality(
        id=1, name="offline", title={}, time_zone="UTC", locale="en", weekend=(), lat=None, lon=None,
        register_unknown=False,
    )  # fmt: skip
    devices = {
        i: Device(id=i, name=f"file-{i}", kind=kind, municipality=town.name, municipality_id=1)
        for i in range(len(payloads))
    }
    registry = Registry(
        devices=devices, by_name={d.name: d for d in devices.values()}, municipalities={town.name: town}
    )
    now, _ = clock.parse(None)
    intake = Intake(
        topics=[str(Topic(town.name, kind, d.name, Channel.TELEMETRY)) for d in devices.values()],
        payloads=payloads,
        received_at=now() + np.arange(len(payloads)),
        packet_ids=[],
        connection=None,
    )
    retention = load_settings().retention_days * 86_400_000_000
    return decide(
        intake, Directory(registry, declared), {kind: Decoder(declared[kind])}, Offsets(), retention
    )


def _said(columns: Columns, row: int) -> str:
    at = to_datetime(int(columns.observed_at[row])).isoformat()
    quality = int(columns.quality[row])
    notes = [m.name for m in columns.kind.measurements if quality >> m.bit & 1]
    text = f"observed at {at}"
    if quality & UNDATED:
        text += ", taken from the receive time"
    if quality & CLOCK_UNSET:
        text += " because the clock was never set, or stands still"
    if quality & CLOCK_CORRECTED:
        text += ", the clock runs ahead"
    text += f"; suspect: {', '.join(notes)}" if notes else ""
    return "; ".join([text, *remarks(columns, row)])
