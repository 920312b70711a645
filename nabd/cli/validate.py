"""`nabd validate FILE --kind K`: what ingest would say of a payload, offline, with the same code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from devices import kinds
from devices.instants import to_datetime
from devices.kinds.kind import KindError
from devices.wire import Decoder
from devices.wire.decode import pointer
from devices.wire.instants import ABSENT
from nabd.cli.output import fail, print_json, table
from nabd.cli.run import load_settings


def validate(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="one payload each")],
    kind: Annotated[str, typer.Option(help="whose reading it is: bin, light, drone or any declared kind")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
) -> None:
    """Check payloads as ingest would: decoding, types and times. Exits with 1 when something is refused."""
    try:
        declared = kinds.load(load_settings().kinds_dir)
    except KindError as error:
        fail(str(error))
    if kind not in declared:
        raise typer.BadParameter(f"no such kind; declared are {', '.join(declared)}", param_hint="--kind")
    results = _check(Decoder(declared[kind]), files)
    if as_json:
        for result in results:
            print_json(result)
    else:
        rows = [[r["file"], r["pointer"], r["outcome"], r["detail"]] for r in results]
        table(["file", "element", "outcome", "detail"], rows)
    if any(result["outcome"] != "accepted" for result in results):
        raise typer.Exit(1)


def _check(decoder: Decoder, files: list[Path]) -> list[dict[str, Any]]:
    decoded, rejected = decoder.decode([path.read_bytes() for path in files])
    accepted = [
        {
            "file": str(files[message]),
            "pointer": pointer(element),
            "outcome": "accepted",
            "detail": "without ts: the receive time will stand in"
            if instant == ABSENT
            else f"observed at {to_datetime(instant).isoformat()}",
        }
        for message, element, instant in zip(
            decoded.message.tolist(), decoded.element.tolist(), decoded.instant.tolist(), strict=True
        )
    ]
    refused = [
        {"file": str(files[r.message]), "pointer": r.pointer, "outcome": str(r.reason), "detail": r.detail}
        for r in rejected
    ]
    return sorted(accepted + refused, key=lambda result: (result["file"], result["pointer"]))
