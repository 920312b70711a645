"""A backup brings everything back, is unreadable without its key, and says when it was last found good."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from nabd.accounts import making
from nabd.accounts.grants import Account
from nabd.backup import database, keys
from nabd.doctor import Verdict, examine
from nabd.embedded.postgres import EmbeddedPostgres
from nabd.settings import Settings
from tests.databases import as_account, execute, run
from tests.integration.api.builders import NOON
from tests.integration.operating.conftest import SECRET, Town, contents, nabd


@pytest.fixture
def room() -> Iterator[Path]:
    """A directory that the server's user can reach: pytest's own it cannot once another pytest starts."""
    place = Path(tempfile.mkdtemp(prefix="nabd-test-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


def test_everything_comes_back_elsewhere(town: Town, empty_dsn: str) -> None:
    made = town.back_up()
    before = run(contents(town.dsn))

    there = town.elsewhere(empty_dsn)
    new = town.place / "new"
    mounted = new / "photos"  # an empty directory that is there may be a mount point: it stays
    mounted.mkdir(parents=True)
    mounted.chmod(0o750)
    if os.geteuid() == 0:
        os.chown(new, 65_534, 65_534)
        os.chown(mounted, 65_533, 65_533)
    inode = mounted.stat().st_ino
    done = nabd(there, "restore", made, "--key", town.key_file, "--json")

    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["differing"] == {}
    assert run(contents(empty_dsn)) == before
    assert len(before["bin_reading"]) == 300
    assert (mounted.stat().st_ino, mounted.stat().st_mode & 0o777) == (inode, 0o750)
    if os.geteuid() == 0:
        owners = {path.stat().st_uid for path in mounted.rglob("*")}
        assert (owners, (new / "tls/authority.key").stat().st_uid) == ({65_533}, 65_534)
    assert (new / "photos/ab/one.jpg").read_text() == "a photo"
    assert (new / "audit/tripoli.ndjson").exists()
    assert (new / "tls/authority.key").read_text() == "a key"
    broker = town.place / "broker/passwords"
    assert (new / f"restored/files{broker}").read_text() == SECRET
    assert f"NABD_DATABASE={town.dsn}" in (new / "restored/settings.env").read_text()
    assert sorted(path.name for path in new.iterdir()) == ["audit", "photos", "restored", "tls"]
    assert nabd(there, "migrate", "--json").exit_code == 0


async def _make_accounts(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await making.make(connection, {})
    await connection.close()


def test_accounts_before_and_after_let_every_process_go_on(town: Town, empty_dsn: str) -> None:
    made = town.back_up()
    run(_make_accounts(empty_dsn))
    superuser = town.elsewhere(empty_dsn)
    owner = superuser | {"NABD_DATABASE": as_account(empty_dsn, Account.OWNER)}

    done = nabd(superuser, "restore", made, "--key", town.key_file)

    assert "now: nabd store accounts as a superuser, nabd migrate" in done.stdout
    refused = nabd(owner, "migrate")
    assert (refused.exit_code, "permission denied" in refused.stderr) == (1, True)
    run(_make_accounts(empty_dsn))
    done = nabd(owner, "migrate")
    assert done.exit_code == 0, done.stderr
    listed = nabd(superuser | {"NABD_DATABASE": as_account(empty_dsn, Account.API)}, "device", "list")
    assert (listed.exit_code, "bin-1" in listed.stdout) == (0, True), listed.stderr


def test_without_a_database_an_embedded_server_is_filled_or_not_there(town: Town, tmp_path: Path) -> None:
    made = town.back_up()
    # Not below pytest's directory: whoever starts another pytest shuts that to the server's user.
    place = Path(tempfile.mkdtemp(prefix="nabd-test-"))
    settings = town.elsewhere("") | {"NABD_DATA_DIR": str(place)}
    keys.write_key(keys.make_key(), tmp_path / "other", NOON)

    refused = nabd(settings, "restore", made, "--key", tmp_path / "other")
    assert (refused.exit_code, "for another key" in refused.stderr) == (1, True)
    assert list(place.iterdir()) == []

    done = nabd(settings, "restore", made, "--key", town.key_file, "--json")
    assert done.exit_code == 0, done.stderr
    with EmbeddedPostgres(place / "postgres") as server:
        assert len(run(contents(server.dsn()))["bin_reading"]) == 300
    again = nabd(settings, "restore", made, "--key", town.key_file)
    assert "postgres exists, and a restore overwrites nothing" in again.stderr
    shutil.rmtree(place)


def test_backup_says_what_it_has_and_hides_what_it_holds(town: Town) -> None:
    made = town.back_up()

    shown = json.loads(nabd({}, "backup", "show", made, "--tables", "--json").stdout)
    listed = [
        json.loads(line) for line in nabd(town.environment(), "backup", "list", "--json").stdout.splitlines()
    ]
    held = b"".join(path.read_bytes() for path in made.iterdir())

    assert shown["counts"]["bin_reading"] == 300
    assert shown["files"] == {"settings.env": 1, "photos": 1, "audit": 1, "tls": 1, "files": 1}
    assert shown["public_key"] == town.key.recipient
    assert [one["directory"] for one in listed] == [str(made)]
    for secret in (SECRET, "a photo", "bin-1", town.key.secret):
        assert secret.encode() not in held
    assert {path.stat().st_mode & 0o077 for path in made.glob("*.age")} == {0}


async def _backup_check(dsn: str, place: Path) -> tuple[Verdict, str]:
    found = await examine(Settings(database=dsn, data_dir=place))
    check = next(one for one in found if one.subject == "backup")
    return check.verdict, check.said


async def _age(dsn: str, column: str, days: int) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"UPDATE backup SET {column} = {column} - make_interval(days => $1)", days)
    await connection.close()


def test_a_verified_backup_is_remembered_and_missed_after_a_month(town: Town, room: Path) -> None:
    assert "none was made" in run(_backup_check(town.dsn, town.place))[1]
    made = town.back_up()
    assert "never" in run(_backup_check(town.dsn, town.place))[1]

    command = ("restore", "--verify", made, "--key", town.key_file, "--json", "--where")
    done = nabd(town.environment(), *command, room)

    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(room.iterdir()) == []
    (room / "file").touch()
    refused = nabd(town.environment(), *command, room / "file")
    assert (refused.exit_code, "file cannot be written to: File exists; name" in refused.stderr) == (1, True)
    assert (found["verified"], found["noted"], found["files"]) == (True, True, 5)
    assert found["rows"] > 300
    assert run(_backup_check(town.dsn, town.place))[0] is Verdict.FINE
    run(_age(town.dsn, "verified_at", 31))
    verdict, said = run(_backup_check(town.dsn, town.place))
    assert verdict is Verdict.NOTE
    assert "31 days" in said


def test_backup_that_the_database_cannot_remember_is_a_backup(town: Town) -> None:
    run(execute(town.dsn, "ALTER TABLE backup ADD CHECK (rows < 0)"))

    done = nabd(town.environment(), "backup", "make")
    assert (done.exit_code, "the database did not remember it" in done.stderr) == (0, True), done.stderr
    (made,) = (town.place / "backups").iterdir()
    shutil.rmtree(made)
    said = json.loads(nabd(town.environment(), "backup", "make", "--json").stdout)
    assert (said["noted"], Path(said["directory"]).is_dir()) == (False, True)


def test_key_file_opens_with_its_passphrase_only(town: Town, tmp_path: Path, room: Path) -> None:
    file = tmp_path / "locked"
    words = {"NABD_BACKUP_PASSPHRASE": "an honest passphrase"}
    made = json.loads(nabd(words, "backup", "key", file, "--passphrase", "--json").stdout)
    settings = town.environment(NABD_BACKUP_KEY=made["public_key"])
    assert nabd(settings, "backup", "make").exit_code == 0
    directory = next((town.place / "backups").iterdir())

    command = ("restore", "--verify", directory, "--key", file, "--where", room)
    good = nabd({**settings, **words}, *command)
    other = nabd({**settings, "NABD_BACKUP_PASSPHRASE": "another passphrase"}, *command)

    assert good.exit_code == 0, good.stderr
    assert (other.exit_code, "the passphrase is another" in other.stderr) == (1, True)
    assert b"AGE-SECRET-KEY" not in file.read_bytes()
    again = nabd(words, "backup", "key", file, "--passphrase")
    assert (again.exit_code, "exists" in again.stderr) == (1, True)
    assert keys.is_encrypted(file)
    short = nabd({"NABD_BACKUP_PASSPHRASE": "short"}, "backup", "key", tmp_path / "k", "--passphrase")
    assert "12 characters" in short.stderr


def test_password_stands_on_no_command_line() -> None:
    dsn = "postgresql://nabd:s%40cret@database:5432/nabd?sslmode=require"

    assert database.without_password(dsn) == "postgresql://nabd@database:5432/nabd?sslmode=require"
    assert database.environment_of(dsn)["PGPASSWORD"] == "s@cret"


def test_every_administrators_age_opens_it(town: Town) -> None:
    # The format is age's own: what Nabd writes is no secret of Nabd.
    made = town.back_up()

    head = (made / "database.dump.age").read_bytes()[:21]

    assert head == b"age-encryption.org/v1"
