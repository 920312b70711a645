"""`nabd bench credentials`: what long lists of passwords cost the broker."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bench.identity import reload
from nabd.cli.output import fail, line, print_json


def credentials(
    devices: Annotated[int, typer.Option(min=2, help="devices in the list")] = 100_000,
    connected: Annotated[int, typer.Option(min=2, help="how many of them are signed in")] = 2_000,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Measure mosquitto with many devices: start, memory, sign-in, and the pause of a reload."""
    connected = min(connected, devices)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connected + 100
    if hard != resource.RLIM_INFINITY and needed > hard:
        fail(f"{connected} connections need {needed} open files; this shell may have {hard}: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    try:
        with tempfile.TemporaryDirectory(prefix="nabd-bench-") as directory:
            found = reload.measure(Path(directory), devices=devices, connected=connected)
    except OSError as error:
        fail(str(error))
    if not as_json:
        line(f"{found.devices:,} devices in the list, {found.connected:,} signed in")
        line(f"start {found.start_s} s, {found.memory_mb} MiB; after a reload {found.memory_after_mb} MiB")
        line(f"sign-in {found.sign_in_ms_p50} ms (median), {found.sign_in_ms_p99} ms (99 of 100)")
        line(
            f"a reload answers nobody for {found.reload_pause_s} s; the removed is out after {found.out_s} s"
        )
        return
    print_json(found)
