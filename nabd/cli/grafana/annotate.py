"""`nabd grafana annotate`: alerts posted as annotations to a Grafana that does not read the database."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import typer

from api.grafana import render
from api.grafana.annotating.annotation import AnnotationText
from api.grafana.annotating.following import AnnotationCount
from api.grafana.sync.errors import GrafanaFailed
from api.grafana.sync.server import GrafanaServer
from devices.registry.registry import list_municipalities
from devices.texts.languages import DEFAULT, LANGUAGES
from nabd import annotating
from nabd.annotating import AnnotationOrder
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.grafana.address import address_of, settings_of
from nabd.cli.run import load_settings, run_process
from nabd.cli.values import duration
from nabd.settings import Settings


def annotate(
    *,
    url: Annotated[str | None, typer.Argument(help="address of the server; NABD_GRAFANA_URL")] = None,
    once: Annotated[bool, typer.Option("--once", help="post what is not there yet, and end")] = False,
    municipality: Annotated[list[str] | None, typer.Option(help="only this one's; may be repeated")] = None,
    language: Annotated[str, typer.Option(help="of the texts")] = DEFAULT,
    since: Annotated[
        str, typer.Option(help="how far back it begins in an organisation that is new: 24h, 7d")
    ] = "24h",
    console: Annotated[str | None, typer.Option(help="address of the console; NABD_PUBLIC_URL")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="with --once: JSON, one object a line")] = False,
) -> None:
    """Post each alert as one annotation, from its beginning to its end; runs until told to stop.

    For a Grafana that does not read the database; `nabd grafana sync --annotations` makes boards for it.
    It may be killed at any time: nothing is posted twice.
    """
    settings = load_settings()
    order = _order(settings, url, municipality or (), language, since, console)
    if once:
        _show(run(lambda opened: _once(opened, order)), as_json=as_json)
        return
    if municipality:
        run(lambda opened: _known(opened, order.municipalities))
    try:
        run_process("annotate", annotating.annotate(settings, order))
    except GrafanaFailed as error:
        output.fail(str(error))


def _order(
    settings: Settings,
    url: str | None,
    municipalities: Collection[str],
    language: str,
    since: str,
    console: str | None,
) -> AnnotationOrder:
    chosen = next((one for one in LANGUAGES if one == language), None)
    if chosen is None:
        raise typer.BadParameter(f"languages are {', '.join(LANGUAGES)}")
    address = (console or settings.public_url or render.CONSOLE).rstrip("/")
    return AnnotationOrder(
        address=address_of(settings_of(url)),
        written=AnnotationText(language=chosen, console=address),
        municipalities=frozenset(municipalities),
        since=duration(since),
    )


async def _once(opened: OpenDatabase, order: AnnotationOrder) -> list[AnnotationCount]:
    await _known(opened, order.municipalities)
    if not await annotating.claim(opened.connection, order):
        output.fail(f"another process annotates {order.address.url} already: nothing is left to do")
    server = GrafanaServer(order.address)
    try:
        return await annotating.catch_up(opened.connection, server, order, opened.now())
    except GrafanaFailed as error:
        output.fail(str(error))
    finally:
        await server.close()


async def _known(opened: OpenDatabase, municipalities: Collection[str]) -> None:
    there = {one.name for one in await list_municipalities(opened.connection)}
    if unknown := set(municipalities) - there:
        output.fail(f"there is no municipality {', '.join(sorted(unknown))}")


def _show(counts: list[AnnotationCount], *, as_json: bool) -> None:
    if as_json:
        for count in counts:
            output.print_json(count)
        return
    output.table(
        ("organisation", "posted", "changed"), [(one.organisation, one.posted, one.changed) for one in counts]
    )
