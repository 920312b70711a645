"""`nabd rule`: check, compare, apply, list and switch rules; their versions and who changed what."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from nabd.cli.database import OpenDatabase
from nabd.cli.database import run as on_database
from nabd.cli.output import cell, fail, line, print_json, table
from nabd.cli.rules import explain, shadow, trial
from nabd.cli.rules.blind import blind
from nabd.cli.rules.costs import cost_sentence, costs
from nabd.cli.rules.files import Author, Files, Json, RuleId, read
from nabd.cli.rules.warnings import warn, warnings_of
from rules.catalogue import editing, versions
from rules.catalogue.catalogue import ApplyResult
from rules.catalogue.versions import RuleChange, StoredRule
from rules.definition.errors import RulesRefused
from rules.loading.diff import DifferenceType, RuleDifference, as_yaml, differences
from rules.trial import shadows

app = typer.Typer(no_args_is_help=True, help="Check, try, compare, apply and explain rules.")
app.command()(blind)

Only = Annotated[bool, typer.Option("--only", help="take every other rule out of force")]


@app.command()
def check(files: Files, as_json: Json = False) -> None:
    """Say what is wrong in rule files, with line and suggestion. Exits with 1 when anything is.

    Where a database is named, also warns of devices that a rule can never look at.
    """
    found = read(files)
    warnings = warnings_of(found)
    if as_json:
        print_json({"rules": [d.id for d in found], "costs": costs(found), "warnings": warnings})
        return
    warn(warnings)
    line(f"{len(found)} rules, nothing wrong; {cost_sentence(found)}")


@app.command()
def apply(
    files: Files,
    only: Only = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="on trial beside the live rules: recorded, never alerting")
    ] = False,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Put rule files into force, all or none; running processes take them with the next batch."""
    definitions = read(files)
    if shadow and only:
        raise typer.BadParameter("--only takes rules out of force; a shadow leaves the live rules alone")

    async def on_trial(opened: OpenDatabase) -> None:
        who = await opened.actor(author)
        await shadows.add(opened.connection, definitions, by=who, now=opened.now())

    async def work(opened: OpenDatabase) -> ApplyResult:
        return await editing.apply(
            opened.connection,
            definitions,
            by=await opened.actor(author),
            now=opened.now(),
            remove_others=only,
        )

    if shadow:
        on_database(on_trial)
        shadowed = [d.id for d in definitions]
        warnings = warnings_of(definitions)
        if as_json:
            print_json({"shadowed": shadowed, "costs": costs(definitions), "warnings": warnings})
        else:
            warn(warnings)
            line(f"on trial: {', '.join(shadowed)}; `nabd rule shadow` compares them with the live rules")
            line(cost_sentence(definitions))
        return
    applied = on_database(work)
    warnings = warnings_of(definitions)
    if as_json:
        print_json({**asdict(applied), "costs": costs(definitions), "warnings": warnings})
        return
    warn(warnings)
    for name in ("added", "changed", "unchanged", "removed"):
        if ids := getattr(applied, name):
            line(f"{name}: {', '.join(ids)}")
    line(cost_sentence(definitions))


@app.command()
def diff(files: Files, only: Only = False, as_json: Json = False) -> None:
    """Show what applying rule files would change. Exits with 1 when anything would, like diff."""
    definitions = read(files)

    async def work(opened: OpenDatabase) -> list[RuleDifference]:
        in_force = await versions.sources(opened.connection)
        return differences(in_force, definitions, remove_others=only)

    found = on_database(work)
    warnings = warnings_of(definitions)
    if not as_json:
        warn(warnings)
    for one in found:
        if as_json:
            print_json({**asdict(one), "warnings": [w for w in warnings if w.rule == one.rule]})
        elif one.change is DifferenceType.UNCHANGED:
            line(f"{one.rule}: unchanged")
        else:
            line(f"{one.rule}: {one.change} ({', '.join(one.keys)})")
            line(one.text)
    if any(one.change is not DifferenceType.UNCHANGED for one in found):
        raise typer.Exit(1)


@app.command(name="list")
def list_(
    disabled: Annotated[bool, typer.Option("--all", help="those out of force too")] = False,
    kind: Annotated[str | None, typer.Option(help="only of this kind")] = None,
    as_json: Json = False,
) -> None:
    """List the rules in force, broken ones with the reason."""

    async def work(opened: OpenDatabase) -> list[StoredRule]:
        return await versions.list_rules(opened.connection, disabled=disabled, kind=kind, limit=100_000)

    found = on_database(work)
    rows = [
        {
            "id": r.id,
            "version": r.version,
            "kind": r.kind or "any",
            "state": r.state,
            "open_alerts": r.open_alerts,
            "shadow": r.shadow,
            "summary": r.broken_reason or _sentence(r),
        }
        for r in found
    ]
    if as_json:
        for row in rows:
            print_json(row)
        return
    table(
        ["rule", "version", "kind", "state", "open", "on trial since", "summary"],
        [list(row.values()) for row in rows],
        empty="no rules are in force: `nabd migrate` brings the defaults",
    )


@app.command()
def show(
    rule: RuleId,
    version: Annotated[int | None, typer.Option("--version", help="an earlier version")] = None,
    as_json: Json = False,
) -> None:
    """Show a rule as YAML, ready to be edited and applied."""

    async def work(opened: OpenDatabase) -> StoredRule:
        return await versions.get_rule(opened.connection, rule, version)

    found = on_database(work)
    if as_json:
        print_json(found)
        return
    author = f" by {found.author}" if found.author else ""
    line(f"# version {found.version}, {found.state}, applied {cell(found.created_at)}{author}")
    line(as_yaml(found.definition).rstrip())


@app.command()
def history(rule: RuleId, as_json: Json = False) -> None:
    """Say who changed what about a rule, oldest first."""

    async def work(opened: OpenDatabase) -> list[RuleChange]:
        return await versions.history(opened.connection, rule)

    changes = on_database(work)
    if as_json:
        for change in changes:
            print_json(change)
        return
    table(["at", "version", "what", "who"], [[c.at, c.version, c.action, c.author or "–"] for c in changes])


@app.command()
def enable(rule: RuleId, author: Author = "") -> None:
    """Put a rule back into force as it last was."""

    async def work(opened: OpenDatabase) -> int:
        return await editing.enable(
            opened.connection, opened.kinds, rule, by=await opened.actor(author), now=opened.now()
        )

    try:
        line(f"{rule}: version {on_database(work)} is in force")
    except RulesRefused as refused:
        fail(f"{rule} cannot be used any more: {refused}")


@app.command()
def disable(rule: RuleId, author: Author = "") -> None:
    """Take a rule out of force; its open alerts end."""

    async def work(opened: OpenDatabase) -> int:
        return await editing.disable(opened.connection, rule, by=await opened.actor(author), now=opened.now())

    line(f"{rule}: out of force; open alerts ended: {on_database(work)}")


app.command(name="test")(trial.try_rules)
app.command(name="explain")(explain.explain)
app.command(name="shadow")(shadow.shadow)


def _sentence(rule: StoredRule) -> str:
    summary = rule.definition.get("summary", {})
    return str(summary.get("en", "")) if isinstance(summary, dict) else ""
