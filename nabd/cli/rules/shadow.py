"""`nabd rule shadow`: rules on trial, compared with the live ones; promote or drop one."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.registry.registry import load
from nabd.cli.database import OpenDatabase
from nabd.cli.database import run as on_database
from nabd.cli.output import fail, line, print_json, table
from nabd.cli.rules.files import Author, Json
from rules.definition.errors import RulesRefused
from rules.trial import shadows
from rules.trial.findings import Findings, findings
from rules.trial.shadows import Shadow


def shadow(
    rule: Annotated[str | None, typer.Argument(help="the rule's id; without it, every rule on trial")] = None,
    promote: Annotated[bool, typer.Option("--promote", help="put it into force")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="end the trial")] = False,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Compare rules on trial with the live ones since the trial began; promote or drop one."""
    if promote and drop:
        raise typer.BadParameter("either --promote or --drop")
    if promote or drop:
        if rule is None:
            raise typer.BadParameter("name the rule to promote or drop")
        _end(rule, promote, author)
        return

    async def work(opened: OpenDatabase) -> list[tuple[Shadow, Findings]]:
        return await _compare(opened, rule)

    compared = on_database(work)
    if as_json:
        for one, found in compared:
            print_json({"shadow": one, "findings": found})
        return
    table(
        ["rule", "since", "by", "shadow", "live", "the same", "only shadow", "only live", "flaps", "broken"],
        [
            [
                s.rule,
                s.created_at,
                s.author,
                len(f.alerts),
                f.live_alerts,
                f.same,
                f.only_test,
                f.only_live,
                f.flaps,
                s.broken_reason,
            ]
            for s, f in compared
        ],
        empty="no rule is on trial: `nabd rule apply FILE --shadow` begins one",
    )
    if rule is not None:
        _print_differences(compared[0][1])


def _print_differences(found: Findings) -> None:
    rows = [
        ["only shadow", a.opened_at, a.ended_at, a.device, a.severity] for a in found.alerts if not a.live
    ]
    rows += [["only live", a.opened_at, a.ended_at, a.device, a.severity] for a in found.missed]
    if rows:
        table(["", "opened", "ended", "device", "severity"], rows)


async def _compare(opened: OpenDatabase, rule: str | None) -> list[tuple[Shadow, Findings]]:
    names = {d.id: d.name for d in (await load(opened.connection)).devices.values()}
    asked = [rule] if rule else [s.rule for s in await shadows.on_trial(opened.connection)]
    now = opened.now()
    compared = []
    for one in asked:
        trial = await shadows.trial(opened.connection, one, now)
        start = trial.shadow.known_since
        found = findings(one, trial.shadowed, trial.live, names, start=start, end=now)
        compared.append((trial.shadow, found))
    return compared


def _end(rule: str, promote: bool, author: str) -> None:
    async def work(opened: OpenDatabase) -> int | None:
        who = await opened.actor(author)
        if promote:
            return await shadows.promote(opened.connection, opened.kinds, rule, by=who, now=opened.now())
        await shadows.drop(opened.connection, rule, by=who, now=opened.now())
        return None

    try:
        version = on_database(work)
    except RulesRefused as refused:
        fail(f"{rule} cannot be used any more: {refused}")
    line(f"{rule}: version {version} is in force" if promote else f"{rule}: the trial is over")
