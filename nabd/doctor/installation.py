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
from devices.wire.compiled.part import PART as DECODER
from ingest import compiling
from ingest.compiling import NotCompiled
from nabd import clock
from nabd.doctor import broker, database, oidc
from nabd.doctor.account import refusal
from nabd.doctor.check import CheckResult, Verdict, bad, fine, note
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
        findings.append(
            note("database", "none is named", "`nabd up` embeds one; to use your own set NABD_DATABASE")
        )
        return findings
    try:
        connection = await connect(settings.database)
    except StoreError as error:
        away = bad("database", str(error), "start it, or correct NABD_DATABASE")
        return [*findings, refusal(settings.database, error) or away]
    try:
        return findings + await database.check(connection, settings)
    except DATABASE_ERRORS as error:
        fix = "read the server's log, then look again"
        return [*findings, refusal(settings.database, error) or bad("database", str(error), fix)]
    finally:
        await connection.close()


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
        said = f"{error.filename} cannot be looked at: {error.strerror}"
        return [note("certificates", said, "run `nabd doctor` where `nabd sweep` runs to see more")]


def _looked_at(subject: str, check: Callable[[], CheckResult]) -> CheckResult:
    try:
        return check()
    except OSError as error:
        said = f"{error.filename} cannot be looked at: {error.strerror}"
        return bad(subject, said, "let the user that Nabd runs as read it and every directory above it")


def _kinds(settings: Settings) -> CheckResult:
    try:
        return fine("kinds", ", ".join(kinds.load(settings.kinds_dir)))
    except KindError as error:
        return bad("kinds", str(error), "correct the file, or NABD_KINDS_DIR")


def _profiles(settings: Settings) -> CheckResult:
    try:
        loaded = profiles.load(kinds.load(settings.kinds_dir), settings.profiles_dir)
    except KindError:
        return note("profiles", "not looked at while a kind cannot be read", "correct the kind first")
    if loaded.refused:
        return bad("profiles", str(loaded.refused[0]), "correct the file: `nabd profile check` says all")
    own = sum(loaded.is_own(name) for name in loaded)
    return fine("profiles", f"{len(loaded)}, {own} of them your own")


def check_photos(directory: Path) -> CheckResult:
    """Tell whether photos of work can be kept: the directory, or where it will be made, can be written to."""
    existing = _existing(directory)
    free = shutil.disk_usage(existing).free / 1e9
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        fix = "let the user of `nabd api` own it, or name another in NABD_PHOTO_DIR"
        return bad("photos", f"{existing} cannot be written to", fix)
    if free < ROOM_GB:
        return bad("photos", f"{free:.1f} GB free at {existing}", "make room: no photo of work can be kept")
    return fine("photos", f"{directory}, {free:.0f} GB free")


def _existing(directory: Path) -> Path:
    wanted = directory.absolute()
    return next(one for one in (wanted, *wanted.parents) if one.exists())


def check_compiled_code(settings: Settings) -> CheckResult:
    """Tell whether an ingest on this machine works with compiled code; without it is exact, and slower."""
    places, what = compiled_directories(settings), "compiled code"
    if not settings.compiled_code:
        return note(what, "not wanted: NABD_COMPILED_CODE", "let it be true to be faster")
    try:
        files = [compiling.found(part, places)[0] for part in PARTS]
        return fine(what, f"{' and '.join(file.name for file in files)} in {files[0].parent}")
    except NotCompiled as error:
        fix = f"`nabd ingest` compiles as it starts, if it may write to {places[-1]}; its log says more"
        return note(what, str(error), fix)
    except Unusable as error:
        return note(what, f"none, which is slower: {error}", "pip install 'nabd[fast]'")


def check_tiles(said: str) -> CheckResult:
    """Check what lies under the map; a server's tiles are asked for by browsers alone."""
    source = source_of(said)
    if source is None or source.file is None:
        return fine("map tiles", said)
    try:
        archive = TileArchive(source.file)
    except (BadArchive, OSError) as error:
        fix = "correct NABD_MAP_TILES, or let it be empty: maps show the municipalities' layers then"
        return bad("map tiles", str(error), fix)
    archive.close()
    return fine("map tiles", f"{source.file}, zoom {archive.zooms[0]} to {archive.zooms[1]}")


def _disk(settings: Settings) -> CheckResult:
    existing = _existing(settings.data_dir)
    free = shutil.disk_usage(existing).free / 1e9
    if free > ROOM_GB:
        return fine("disk", f"{free:.0f} GB free")
    fix = "make room: a full disk stops every commit, though nothing acknowledged is lost"
    return bad("disk", f"{free:.1f} GB free at {existing}", fix)
