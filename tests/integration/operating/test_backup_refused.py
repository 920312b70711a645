"""A backup that is cut, altered, too new or for another key is refused in one sentence, and nothing done."""

from __future__ import annotations

import errno
import os
import pwd
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import asyncpg
import msgspec
import pytest

from nabd.backup import files, keys, manifest, programs
from nabd.backup.errors import BackupRefused
from nabd.settings import Settings
from store.pool import connect
from tests.databases import execute, run
from tests.integration.api import builders
from tests.integration.operating.conftest import Town, nabd


def cut(made: Path) -> None:
    file = made / "database.dump.age"
    file.write_bytes(file.read_bytes()[:-500])


def alter(made: Path) -> None:
    file = made / "files.tar.age"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def lose_a_file(made: Path) -> None:
    (made / "files.tar.age").unlink()


def lose_the_manifest(made: Path) -> None:
    (made / "manifest.json").unlink()


def cut_the_manifest(made: Path) -> None:
    file = made / "manifest.json"
    file.write_bytes(file.read_bytes()[:-200])


def alter_the_manifest(made: Path) -> None:
    file = made / "manifest.json"
    file.write_text(file.read_text().replace('"bin_reading": 300', '"bin_reading": 301'))


def rewrite(made: Path, **changes: object) -> None:
    found = msgspec.structs.replace(manifest.read(made), **changes)
    (made / "manifest.json").unlink()
    manifest.write(found, made)


def be_newer(made: Path) -> None:
    rewrite(made, migration=9999, migration_name="flying_bins", nabd="7.0")


def be_of_a_newer_server(made: Path) -> None:
    rewrite(made, postgresql=99)


def be_of_timescale(made: Path) -> None:
    rewrite(made, edition="timescale", timescaledb="2.99.0")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (cut, "database.dump.age is cut: .* bytes are there; copy the backup anew"),
        (alter, "files.tar.age was altered since it was made; take another copy"),
        (lose_a_file, "files.tar.age is missing: this backup is not whole; copy it anew"),
        (lose_the_manifest, "is no backup, or was cut while it was made"),
        (cut_the_manifest, "manifest.json is cut or was altered; take another copy"),
        (alter_the_manifest, "manifest.json was altered since it was made; take another copy"),
        (be_newer, "has migration 9999_flying_bins, this program ends at .*: install Nabd 7.0 or later"),
        (be_of_a_newer_server, "the backup of 99: restore into that version or a newer one"),
        (be_of_timescale, "the backup is of TimescaleDB 2.99.0, .* restore into a server with exactly that"),
    ],
)
def test_harmed_backup_is_refused(
    town: Town, empty_dsn: str, harm: Callable[[Path], None], said: str
) -> None:
    made = town.back_up()
    harm(made)

    done = nabd(town.elsewhere(empty_dsn), "restore", made, "--key", town.key_file)

    _refused(town, empty_dsn, done.exit_code, done.stderr, said)


def test_other_key_is_refused(town: Town, empty_dsn: str, tmp_path: Path) -> None:
    made = town.back_up()
    keys.write_key(keys.make_key(), tmp_path / "other", builders.NOON)

    done = nabd(town.elsewhere(empty_dsn), "restore", made, "--key", tmp_path / "other")

    _refused(town, empty_dsn, done.exit_code, done.stderr, "was encrypted for another key than age1")
    public = nabd(town.elsewhere(empty_dsn), "restore", made)
    _refused(town, empty_dsn, public.exit_code, public.stderr, "NABD_BACKUP_KEY is a public key")


def test_database_or_directory_that_is_not_empty_is_left_alone(town: Town, empty_dsn: str) -> None:
    made = town.back_up()

    own = nabd(town.environment(NABD_DATA_DIR=str(town.place / "x")), "restore", made, "--key", town.key_file)
    assert (own.exit_code, bool(re.search(r"is not empty, it has \d+ tables", own.stderr))) == (1, True)

    there = town.place / "new/photos/one.jpg"
    there.parent.mkdir(parents=True)
    there.write_text("another", encoding="utf-8")
    done = nabd(town.elsewhere(empty_dsn), "restore", made, "--key", town.key_file)
    assert (done.exit_code, "new/photos is not empty" in done.stderr) == (1, True)
    assert there.read_text() == "another"


def test_files_without_a_place_are_told_before_the_database_is_filled(town: Town, empty_dsn: str) -> None:
    made = town.back_up()
    (town.place / "file").touch()

    nowhere = {"NABD_TLS_DIR": str(town.place / "file/tls")}
    done = nabd(town.elsewhere(empty_dsn) | nowhere, "restore", made, "--key", town.key_file)

    said = "tls cannot be looked at: Not a directory|file cannot be written to, and tls belongs there"
    _refused(town, empty_dsn, done.exit_code, done.stderr, said)


def test_files_that_do_not_find_room_stay_and_are_named(
    town: Town, empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = town.back_up()

    def on_a_full_disk(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "move", on_a_full_disk)

    done = nabd(town.elsewhere(empty_dsn), "restore", made, "--key", town.key_file)

    assert (done.exit_code, "the database is back, and not every file" in done.stderr) == (1, True)
    (staged,) = (town.place / "new").glob("restoring-*")
    assert f"photos/ab'; those that are not lie in {staged}" in done.stderr
    assert (staged / "photos/ab/one.jpg").read_text() == "a photo"
    assert run(_tables(empty_dsn)) > 60


def test_restore_that_fails_half_way_leaves_an_empty_database(town: Town, empty_dsn: str) -> None:
    made = town.back_up()
    run(execute(empty_dsn, "CREATE FUNCTION grant_readers() RETURNS void LANGUAGE sql AS ''"))

    done = nabd(town.elsewhere(empty_dsn), "restore", made, "--key", town.key_file)

    _refused(
        town,
        empty_dsn,
        done.exit_code,
        done.stderr,
        "pg_restore failed, and the database is as it was: .*grant",
    )


def _refused(town: Town, dsn: str, code: int, stderr: str, said: str) -> None:
    assert code == 1
    assert re.search(said, stderr), stderr
    assert len(stderr.strip().splitlines()) == 1, stderr
    assert run(_tables(dsn)) == 0
    new = town.place / "new"
    assert not new.exists() or not any(new.rglob("*"))


async def _tables(dsn: str) -> int:
    connection: asyncpg.Connection = await connect(dsn)
    try:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
        )
        return count
    finally:
        await connection.close()


def test_failed_backup_leaves_nothing_behind(town: Town) -> None:
    settings = town.environment(NABD_BACKUP_FILES='["/nowhere/passwords"]')

    done = nabd(settings, "backup", "make")

    assert (done.exit_code, "/nowhere/passwords does not exist" in done.stderr) == (1, True)
    assert list((town.place / "backups").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_directory_that_may_not_be_entered_is_no_empty_one() -> None:
    place = Path(tempfile.mkdtemp(prefix="nabd-test-"))
    place.chmod(0o755)
    shut = place / "photos/ab"
    shut.mkdir(parents=True)
    shut.chmod(0o700)
    settings = Settings(data_dir=place)
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(
            BackupRefused, match=f"{shut} cannot be read: Permission denied; back up as its owner"
        ):
            list(files._members(settings))
    finally:
        os.seteuid(0)
        shutil.rmtree(place)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"NABD_BACKUP_KEY": ""}, "make a key by `nabd backup key FILE`"),
        ({"NABD_BACKUP_KEY": "age1" + "q" * 58}, "is no public key of age"),
        ({"NABD_BACKUP_KEY": "/nowhere/key"}, "key file /nowhere/key cannot be read"),
        ({"NABD_DATABASE": ""}, "no database is named"),
    ],
)
def test_backup_that_cannot_be_made_says_which_setting(
    town: Town, settings: dict[str, str], said: str
) -> None:
    done = nabd(town.environment(**settings), "backup", "make")

    assert (done.exit_code, said in done.stderr) == (1, True), done.stderr


def test_programs_older_than_the_server_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 13.4'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "DEBIAN", tmp_path / "none")

    assert programs.fitting(13).version == 13
    assert programs.fitting(14).version == 18  # the wheel's
    with pytest.raises(
        BackupRefused, match=r"is PostgreSQL 99 and pg_dump .* of 13, 18: apt install postgresql-client-99"
    ):
        programs.fitting(99)
    assert shutil.which("pg_dump") == str(program)
