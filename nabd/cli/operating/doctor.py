"""`nabd doctor`: what is wrong with this installation and how to mend it; a file of it for whoever helps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from devices import kinds
from devices.instants import to_datetime
from devices.kinds.kind import KindError
from devices.texts.catalogue import text
from nabd import clock, doctor
from nabd.cli.languages import Lang, language_of
from nabd.cli.output import fail, line, print_json, table, translated
from nabd.cli.run import load_settings
from nabd.doctor import CheckResult, Verdict, bundle
from nabd.settings import Settings
from store.errors import StoreError
from store.failures import DATABASE_ERRORS
from store.pool import connect

HEADINGS = ("check.code", "check.subject", "check.verdict", "check.found", "check.what_to_do")


def show(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
    bundle_file: Annotated[
        Path | None,
        typer.Option(
            "--bundle", metavar="FILE", help="write a zip for whoever helps: no secret, no person, no payload"
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Look for trouble: machine, broker, database, ingest, rules, notifier, backups; exit 1 on any.

    Each check has a number that stays; docs/doctor.md has what it says of broken installations.
    """
    language = language_of(lang)
    settings = load_settings()
    checks = asyncio.run(doctor.examine(settings))
    members = [] if bundle_file is None else _written(bundle_file, settings, checks)
    if as_json:
        for check in checks:
            print_json(check.in_language(language))
    else:
        told = [check.in_language(language) for check in checks]
        table(
            [text(language, key) for key in HEADINGS],
            [
                [
                    c.code,
                    c.title,
                    text(language, f"check.verdict_{c.verdict}"),
                    *map(translated, (c.said, c.fix)),
                ]
                for c in told
            ],
        )
        if bundle_file is not None:
            line(f"{bundle_file} has {', '.join(members)}: look through it before you send it")
    if any(check.verdict is Verdict.BAD for check in checks):
        raise typer.Exit(1)


def _written(file: Path, settings: Settings, checks: Sequence[CheckResult]) -> list[str]:
    database, metrics = asyncio.run(_asked(settings))
    try:
        return bundle.write(file, settings, checks, database, metrics, to_datetime(clock.wall()))
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror or error}; name another")


async def _asked(settings: Settings) -> tuple[dict[str, Any], str]:
    """Return what database and metrics add; without a database nothing."""
    if not settings.database:
        return {}, ""
    try:
        connection = await connect(settings.database)
        try:
            now, speed = clock.parse(settings.clock)
            declared = kinds.load(settings.kinds_dir)
            return await bundle.database_part(connection), await bundle.metrics(
                connection, declared, now(), speed
            )
        finally:
            await connection.close()
    except (StoreError, KindError, *DATABASE_ERRORS):
        return {}, ""  # the checks say what is wrong there
