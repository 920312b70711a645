"""`nabd rule blind`: rules that cannot be decided on a device, and what it lacks for them."""

from __future__ import annotations

from typing import Annotated

import typer

from nabd.cli.database import OpenDatabase, run
from nabd.cli.output import line, print_json, table
from nabd.cli.rules.files import Json
from rules.catalogue.blind import BlindRule, blind_rules


def blind(
    rule: Annotated[str | None, typer.Option(help="only this rule")] = None,
    device: Annotated[str | None, typer.Option(help="only this device")] = None,
    after: Annotated[str | None, typer.Option(help="continue after this device")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="so many devices of each kind")] = 1000,
    as_json: Json = False,
) -> None:
    """List rules that could not be decided on a device for a day, or ten of its intervals."""

    async def work(opened: OpenDatabase) -> list[BlindRule]:
        return await blind_rules(
            opened.connection,
            opened.kinds,
            opened.now(),
            rule=rule,
            device=device,
            after=after,
            limit=limit,
        )

    found = run(work)
    if as_json:
        for one in found:
            print_json(one)
        return
    rows = [(b.device, b.rule, ", ".join(b.missing), b.municipality, b.since) for b in found]
    table(
        ("device", "rule", "lacks", "municipality", "since at least"),
        rows,
        empty="Every rule can be decided on every device.",
    )
    if found:
        line("Mend the sensor, or let the rule say with known(x, otherwise) what holds without it.")
