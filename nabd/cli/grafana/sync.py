"""`nabd grafana sync`: a server of Grafana gets organisations, each with a source, folders and dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

import typer

from api.grafana import render
from api.grafana.sync.difference import SyncStep
from api.grafana.sync.errors import GrafanaFailed
from api.grafana.sync.server import GrafanaServer
from api.grafana.sync.syncing import ReadingAccounts, sync
from api.grafana.sync.wanted import GrafanaDatabase, GrafanaOrganisation, organisation
from devices.registry.registry import list_municipalities
from devices.texts.languages import LANGUAGES, Language
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.grafana.address import address_of, settings_of
from nabd.grafana_settings import GrafanaSettings
from nabd.watching.grafana import provisioned
from nabd.watching.rules import RULES
from store.edition import stored
from store.readers import accounts as readers

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def synchronise(
    *,
    url: Annotated[str | None, typer.Argument(help="address of the server; NABD_GRAFANA_URL")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what differs, and change nothing")] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="remove dashboards and folders of ours that are not wanted any more"),
    ] = False,
    municipality: Annotated[
        list[str] | None, typer.Option(help="only this one's organisation; may be repeated")
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="only in this language; may be repeated")] = None,
    annotations: Annotated[
        bool,
        typer.Option("--annotations", help="mark alerts as `nabd grafana annotate` posts them, not by SQL"),
    ] = False,
    metrics_source: Annotated[
        str | None,
        typer.Option(
            help="also the platform's alert rules, in the organisation that reads all: uid of the Prometheus "
            "there that scrapes /metrics"
        ),
    ] = None,
    console: Annotated[str | None, typer.Option(help="address of the console; NABD_PUBLIC_URL")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON: one object a line")] = False,
) -> None:
    """Bring a server of Grafana to what is wanted; twice does nothing more.

    One organisation reads all, and each municipality has its own, with an account of the database that sees
    nothing else. NABD_GRAFANA_PASSWORD, or NABD_GRAFANA_TOKEN, is never an argument: others could read it.
    """
    if prune and language:
        raise typer.BadParameter("--prune would remove all other languages: leave --language out, or --prune")
    settings = settings_of(url)
    languages = _languages(language)

    async def work(database: OpenDatabase) -> list[SyncStep]:
        wanted = await _wanted(database, settings, municipality, languages, console, posted=annotations)
        if metrics_source:
            wanted = [_watched(one, metrics_source) for one in wanted]
        actor = await database.actor()
        connection = database.connection

        async def keep(role: str, town: str | None, password: str) -> None:
            await readers.keep(connection, role, town, password, by=actor, now=database.now())

        async def exists(role: str) -> bool:
            return await readers.exists(connection, role)

        server = GrafanaServer(address_of(settings))
        try:
            if not dry_run:
                await readers.refuse(connection)
            accounts = ReadingAccounts(exists=exists, keep=keep)
            return await sync(server, wanted, accounts, dry_run=dry_run, prune=prune)
        except GrafanaFailed as error:
            output.fail(str(error))
        finally:
            await server.close()

    _show(run(work), dry_run=dry_run, as_json=as_json)


def _watched(wanted: GrafanaOrganisation, source: str) -> GrafanaOrganisation:
    """Return the organisation that reads all with the platform's alert rules; others as they are."""
    if wanted.municipality is not None:
        return wanted
    rules = provisioned(RULES, folder=wanted.folders[0].uid, source=source)
    return replace(wanted, rules=rules)


def _languages(named: Sequence[str] | None) -> list[Language]:
    known = [language for language in LANGUAGES if not named or language in named]
    if named and len(known) < len(set(named)):
        raise typer.BadParameter(f"languages are {', '.join(LANGUAGES)}")
    return known


async def _wanted(
    database: OpenDatabase,
    settings: GrafanaSettings,
    named: Sequence[str] | None,
    languages: Sequence[Language],
    console: str | None,
    *,
    posted: bool,
) -> list[GrafanaOrganisation]:
    dsn = urlsplit(database.settings.database or "")
    host = settings.database or f"{dsn.hostname or 'localhost'}:{dsn.port or 5432}"
    loopback = host.rpartition(":")[0] in LOOPBACK
    reached = GrafanaDatabase(
        host=host,
        name=dsn.path.lstrip("/") or "nabd",
        edition=await stored(database.connection),
        tls=settings.database_tls or ("disable" if loopback else "require"),
    )
    address = console or database.settings.public_url or render.CONSOLE
    boards = render.all_boards(database.kinds, console=address, languages=languages, posted=posted)
    names = [one.name for one in await list_municipalities(database.connection)]
    if named and (unknown := set(named) - set(names)):
        output.fail(f"there is no municipality {', '.join(sorted(unknown))}")
    chosen: list[str | None] = list(named) if named else [None, *names]
    return [organisation(one, boards, reached) for one in chosen]


def _show(steps: Sequence[SyncStep], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        for step in steps:
            output.print_json(step)
        return
    output.table(
        ("action", "what", "organisation", "name", "why"),
        [(step.action, step.subject, step.organisation, step.name, step.why) for step in steps],
        empty="nothing to do: the server has what is wanted",
    )
    if steps:
        output.line(f"{len(steps)} {'to do' if dry_run else 'done'}")
