"""`nabd audit`: who changed what, whether its chains are whole, their heads, the expiry of old months."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.http import formats
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json
from nabd.settings import audit_directory
from people.audit import chains, expiry, listing
from people.audit.chains import ChainFindings
from people.audit.check import ChainHead
from people.audit.listing import AuditFilter, AuditRow

app = typer.Typer(no_args_is_help=True, help="Read, export and verify who changed what.")

Municipality = Annotated[str | None, typer.Option(help="only this municipality's")]
Who = Annotated[str | None, typer.Option(help="only by this name, or number of a principal")]
Subject = Annotated[str | None, typer.Option(help="only of this device, rule, alert, …")]
Action = Annotated[str | None, typer.Option(help="only this, for example device.retire, or device")]
Since = Annotated[str | None, typer.Option(help="from 24h or 7d ago, or an RFC 3339 instant")]
Until = Annotated[str | None, typer.Option(help="until then, written in the same way; not included")]
SHOWN = 80
"""Characters of before and after in a table."""


@app.command("list")
def list_(
    municipality: Municipality = None,
    who: Who = None,
    subject: Subject = None,
    action: Action = None,
    since: Since = None,
    until: Until = None,
    before: Annotated[int | None, typer.Option(help="continue before this id")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="at most so many")] = 50,
    as_json: Json = False,
) -> None:
    """List changes of state, the newest first."""

    async def work(opened: OpenDatabase) -> list[AuditRow]:
        wanted = _filter(opened, municipality, who, subject, action, since, until)
        return await listing.list_audit(opened.connection, wanted, before=before, limit=limit)

    found = run(work)
    if as_json:
        for row in found:
            output.print_json(row)
        return
    output.table(
        ("id", "at", "who", "from", "municipality", "what", "of", "before", "after"),
        [
            (
                r.id,
                r.changed_at,
                r.who,
                r.address,
                r.municipality,
                r.action,
                r.subject,
                _excerpt(r.before),
                _excerpt(r.after),
            )
            for r in found
        ],
        empty="Nothing was changed.",
    )
    if len(found) == limit:
        output.line(f"There may be more: --before {found[-1].id}")


@app.command()
def export(
    municipality: Municipality = None,
    who: Who = None,
    subject: Subject = None,
    action: Action = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Print every change, month by month and chain by chain: one JSON object a line."""

    async def work(opened: OpenDatabase) -> None:
        wanted = _filter(opened, municipality, who, subject, action, since, until)
        async for piece in formats.as_ndjson(listing.export(opened.connection, wanted)):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    run(work)


@app.command()
def verify(
    heads: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="file or directory of heads kept outside; else NABD_AUDIT_DIR"),
    ] = None,
    municipality: Municipality = None,
    month: Annotated[str | None, typer.Option(help="only this one, for example 2026-11")] = None,
    as_json: Json = False,
) -> None:
    """Say whether no row was edited, deleted, moved or cut off. Exits with 1 if one was."""
    only = _month(month)

    async def work(opened: OpenDatabase) -> ChainFindings:
        kept = _kept(heads if heads else [audit_directory(opened.settings)])
        return await chains.verify(opened.connection, kept, municipality=municipality, month=only)

    found = run(work, statement_timeout_s=0)
    if as_json:
        output.print_json(found)
    else:
        for p in found.problems:
            row = f" row {p.number} (id {p.id})" if p.number is not None else ""
            output.complain(f"{p.municipality or 'platform'} {p.month:%Y-%m}{row}: {p.message}")
        output.line(
            f"{found.rows} rows in {found.chains} chains, {found.heads} heads kept outside:"
            f" {len(found.problems)} problems."
        )
    if found.problems:
        raise typer.Exit(1)


@app.command()
def heads(as_json: Json = False) -> None:
    """Print where each chain ends; with --json into a file that lies elsewhere, for `verify --heads`."""

    async def work(opened: OpenDatabase) -> list[ChainHead]:
        return await chains.heads(opened.connection)

    found = run(work)
    if as_json:
        for head in found:
            output.print_json(head)
        return
    output.table(
        ("municipality", "month", "rows", "head"),
        [(h.municipality or "(platform)", f"{h.month:%Y-%m}", h.rows, h.head) for h in found],
        empty="Nothing was changed yet.",
    )


@app.command()
def expire(
    keep_months: Annotated[int, typer.Option(min=1, help="whole months that stay, beside the present one")],
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Delete the rows of older months as a whole; how many there were and their heads stay."""

    async def work(opened: OpenDatabase) -> list[ChainHead]:
        return await expiry.expire(
            opened.connection,
            keep_months=keep_months,
            by=await opened.actor(author),
            now=opened.now(),
        )

    gone = run(work, statement_timeout_s=0)
    if as_json:
        output.print_json({"expired": gone})
        return
    output.line(f"{sum(head.rows for head in gone)} rows of {len(gone)} chains deleted; their heads stay.")


def _filter(
    opened: OpenDatabase,
    municipality: str | None,
    who: str | None,
    subject: str | None,
    action: str | None,
    since: str | None,
    until: str | None,
) -> AuditFilter:
    now = opened.now()
    return AuditFilter(
        municipality=municipality,
        who=who,
        subject=subject,
        action=action,
        since=values.instant(since, now),
        until=values.instant(until, now),
    )


def _kept(paths: list[Path]) -> list[ChainHead]:
    try:
        return [head for path in paths if path.exists() for head in chains.read_heads(path)]
    except (OSError, ValueError) as error:
        output.fail(f"these are no heads of the audit: {error}")


def _month(text: str | None) -> date | None:
    if text is None:
        return None
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise typer.BadParameter(f"{text!r}: write a month such as 2026-11")
    return date.fromisoformat(f"{text}-01")


def _excerpt(value: object) -> str:
    if value is None:
        return ""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
