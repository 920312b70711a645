"""Every check, in the order in which it is told; here those of the machine alone."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from api.tiles.archive import BadArchive, TileArchive
from api.tiles.source import source_of
from devices import kinds, profiles
from devices.compiled.machine_code import Unusable
from devices.instants import to_datetime
from devices.kinds.kind import KindError
from devices.texts.languages import Language
from devices.texts.translated import TranslatedText, say
from devices.wire.compiled.part import PART as DECODER
from ingest import compiling
from ingest.compiling import NotCompiled
from nabd import clock
from nabd.doctor import broker, database, oidc
from nabd.doctor.account import refusal
from nabd.doctor.check import CheckResult, CheckText, Verdict, bad, fine, note
from nabd.doctor.identity import certificates, https
from nabd.doctor.machine import check_port
from nabd.settings import Settings, compiled_directories, photo_directory
from rules.context.compiled.part import PART as RULES
from store.errors import StoreError
from store.failures import DATABASE_ERRORS
from store.pool import connect

PARTS = (DECODER, RULES)
"""What ingest has compiled."""
ROOM_GB = 1.0
"""Free space below which a disk is all but full."""


async def examine(settings: Settings) -> list[CheckResult]:
    """Check everything that processes need."""
    # In a thread: `nabd api` asks itself, and answers by the loop that would wait here.
    findings = [*check_files(settings), await asyncio.to_thread(check_port, settings)]
    shown = await asyncio.to_thread(https.check, settings, to_datetime(clock.wall()))
    findings += [shown] if shown else []
    if settings.oidc_issuer:
        findings.append(await oidc.check(settings))
    findings.append(await broker.check(settings))
    if settings.broker is not None and findings[-1].verdict is not Verdict.BAD:
        findings.append(await broker.check_topics(settings.broker))
    if settings.database is None:
        return [*findings, note("database", say("check.database_none"), say("check.name_database"))]
    try:
        connection = await connect(settings.database)
    except StoreError as error:
        away = bad("database", say("check.database_away", error=str(error)), say("check.start_database"))
        return [*findings, refusal(settings.database, error) or away]
    try:
        return findings + await database.check(connection, settings)
    except DATABASE_ERRORS as error:
        ended = bad("database", say("check.database_went", error=str(error)), say("check.read_server_log"))
        return [*findings, refusal(settings.database, error) or ended]
    finally:
        await connection.close()


async def told(settings: Settings, language: Language) -> list[CheckText]:
    """Check everything, and return it in the words of a language."""
    return [found.in_language(language) for found in await examine(settings)]


def check_files(settings: Settings) -> list[CheckResult]:
    """Check what lies on this machine; what may not be looked at is bad, and stops no other check."""
    checks: tuple[tuple[str, Callable[[], CheckResult]], ...] = (
        ("kinds", lambda: _kinds(settings)),
        ("profiles", lambda: _profiles(settings)),
        ("compiled code", lambda: check_compiled_code(settings)),
        ("disk", lambda: _disk(settings)),
        ("photos", lambda: check_photos(photo_directory(settings))),
    )
    found = [_looked_at(subject, check) for subject, check in checks]
    found += _certificates(settings)
    return found if settings.map_tiles is None else [*found, check_tiles(settings.map_tiles)]


def _certificates(settings: Settings) -> list[CheckResult]:
    try:
        return certificates.check(settings, to_datetime(clock.wall()))
    except OSError as error:
        return [note("certificates", _unreadable(error), say("check.look_where_sweep"))]


def _looked_at(subject: str, check: Callable[[], CheckResult]) -> CheckResult:
    try:
        return check()
    except OSError as error:
        return bad(subject, _unreadable(error), say("check.let_read"))


def _unreadable(error: OSError) -> TranslatedText:
    return say("check.file_unreadable", file=str(error.filename), error=str(error.strerror))


def _kinds(settings: Settings) -> CheckResult:
    try:
        return fine("kinds", say("check.kinds", names=tuple(kinds.load(settings.kinds_dir))))
    except KindError as error:
        return bad("kinds", say("check.kinds_wrong", error=str(error)), say("check.correct_kinds"))


def _profiles(settings: Settings) -> CheckResult:
    try:
        loaded = profiles.load(kinds.load(settings.kinds_dir), settings.profiles_dir)
    except KindError:
        return note("profiles", say("check.profiles_unseen"), say("check.correct_kind_first"))
    if loaded.refused:
        return bad(
            "profiles",
            say("check.profiles_wrong", error=str(loaded.refused[0])),
            say("check.correct_profile"),
        )
    own = sum(loaded.is_own(name) for name in loaded)
    return fine("profiles", say("check.profiles", count=len(loaded), own=own))


def check_photos(directory: Path) -> CheckResult:
    """Tell whether photos of work can be kept: the directory, or where it will be made, can be written to."""
    existing = _existing(directory)
    free = shutil.disk_usage(existing).free / 1e9
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        unwritable = say("check.photos_unwritable", directory=str(existing))
        return bad("photos", unwritable, say("check.own_photos"))
    if free < ROOM_GB:
        return bad("photos", _free(free, existing), say("check.room_for_photos"))
    return fine("photos", say("check.photos_kept", directory=str(directory), gb=round(free)))


def _existing(directory: Path) -> Path:
    wanted = directory.absolute()
    return next(one for one in (wanted, *wanted.parents) if one.exists())


def check_compiled_code(settings: Settings) -> CheckResult:
    """Tell whether an ingest on this machine works with compiled code; without it is exact, and slower."""
    places = compiled_directories(settings)
    if not settings.compiled_code:
        return note("compiled code", say("check.compiled_off"), say("check.compiled_wanted"))
    try:
        files = [compiling.found(part, places)[0] for part in PARTS]
        names, directory = " + ".join(file.name for file in files), str(files[0].parent)
        return fine("compiled code", say("check.compiled", files=names, directory=directory))
    except NotCompiled as error:
        fix = say("check.compiles", directory=str(places[-1]))
        return note("compiled code", say("check.not_compiled_yet", error=str(error)), fix)
    except Unusable as error:
        slower = say("check.not_compiled", error=str(error))
        return note("compiled code", slower, say("check.install_compiler"))


def check_tiles(said: str) -> CheckResult:
    """Check what lies under the map; a server's tiles are asked for by browsers alone."""
    source = source_of(said)
    if source is None or source.file is None:
        return fine("map tiles", say("check.tiles_elsewhere", where=said))
    try:
        archive = TileArchive(source.file)
    except (BadArchive, OSError) as error:
        wrong = say("check.tiles_wrong", error=str(error))
        return bad("map tiles", wrong, say("check.correct_tiles"))
    archive.close()
    first, last = archive.zooms
    return fine("map tiles", say("check.tiles", file=str(source.file), first=first, last=last))


def _disk(settings: Settings) -> CheckResult:
    existing = _existing(settings.data_dir)
    free = shutil.disk_usage(existing).free / 1e9
    if free > ROOM_GB:
        return fine("disk", say("check.disk_free", gb=round(free)))
    return bad("disk", _free(free, existing), say("check.make_room"))


def _free(gb: float, place: Path) -> TranslatedText:
    return say("check.free_at", gb=round(gb, 1), place=str(place))
