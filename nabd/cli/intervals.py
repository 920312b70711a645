"""`nabd device intervals`: how often devices really report, and to write that down.

Converts and prints; what was learned is read in readings.rhythm.
"""

from __future__ import annotations

from typing import Annotated

import typer

from devices.kinds.kind import INTERVAL
from devices.registry.editing import edit_device
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from readings.rhythm import DeviceRhythm, list_rhythms


def intervals(
    kind: Annotated[str | None, typer.Option(help="only this kind")] = None,
    municipality: Annotated[str | None, typer.Option(help="only this municipality's")] = None,
    district: Annotated[str | None, typer.Option(help="only in the district of this code")] = None,
    device: Annotated[str | None, typer.Option(help="only this device")] = None,
    after: Annotated[str | None, typer.Option(help="continue after this name")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="at most so many")] = 1000,
    apply: Annotated[bool, typer.Option("--apply", help="enter what was learned as interval_s")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON: one object a line")] = False,
) -> None:
    """Show how often devices report: median and 95th percentile of their last gaps, in seconds.

    What was learned of devices without interval_s is used already; --apply writes it down.
    """

    async def work(opened: OpenDatabase) -> list[DeviceRhythm]:
        found = await list_rhythms(
            opened.connection,
            opened.kinds,
            kind=kind,
            municipality=municipality,
            district=district,
            device=device,
            after=after,
            limit=limit,
        )
        who = await opened.actor()
        for one in found if apply else ():
            if one.learned_s is not None:
                changes = {"attributes": {INTERVAL: one.learned_s}}
                await edit_device(
                    opened.connection, opened.kinds, one.device, changes, now=opened.now, by=who
                )
        return found

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [
        (r.device, r.kind, r.municipality, r.interval_s, r.gaps, r.median_s, r.p95_s, r.learned_s)
        for r in found
    ]
    columns = ("device", "kind", "municipality", "interval_s", "gaps", "median_s", "p95_s", "learned_s")
    output.table(columns, rows, empty="No device has sent two readings yet.")
    learned = sum(one.learned_s is not None for one in found)
    if apply:
        output.line(f"{learned} intervals written down.")
    elif learned:
        output.line(f"{learned} report otherwise than their kind; --apply enters that as interval_s.")
    if len(found) == limit:
        output.line(f"There may be more: --after {found[-1].device}")
