"""What doctor says of broken installations: cause, fix, number, exit code; as docs/doctor.md shows it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from nabd import clock
from nabd.doctor import installation, machine
from nabd.doctor.codes import CODES
from tests.databases import execute, run
from tests.integration.operating.conftest import nabd

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
HOUR = 3_600_000_000


@dataclass(kw_only=True)
class Installation:
    """A whole one, to be broken."""

    dsn: str
    place: Path
    patch: pytest.MonkeyPatch
    settings: dict[str, str] = field(default_factory=dict)
    open: list[socket.socket] = field(default_factory=list)

    def change(self, statement: str) -> None:
        run(execute(self.dsn, statement))


def full_disk(it: Installation) -> None:
    it.patch.setattr(installation, "ROOM_GB", 1e9)


def kind_with_a_mistake(it: Installation) -> None:
    kinds = it.place / "kinds"
    kinds.mkdir()
    (kinds / "bench.toml").write_text("name = 7\n")
    it.settings["NABD_KINDS_DIR"] = str(kinds)


def port_in_use(it: Installation) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    it.open.append(taken)
    it.settings["NABD_HTTP_PORT"] = str(taken.getsockname()[1])


def clock_that_is_off(it: Installation) -> None:
    slow = SimpleNamespace(wall=lambda: clock.wall() - HOUR)
    it.patch.setattr(machine, "clock", slow)


def broker_that_is_away(it: Installation) -> None:
    it.settings["NABD_BROKER"] = "mqtt://~ingest:secret@127.0.0.1:1"


def database_that_is_away(it: Installation) -> None:
    it.settings["NABD_DATABASE"] = "postgresql://nabd:secret@127.0.0.1:1/town"


def role_that_does_not_exist(it: Installation) -> None:
    it.settings["NABD_DATABASE"] = it.dsn.replace("postgres@", "nabd_stranger@", 1)


def role_without_rights(it: Installation) -> None:
    it.change("DO $$ BEGIN CREATE ROLE nabd_poor LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
    it.settings["NABD_DATABASE"] = it.dsn.replace("postgres@", "nabd_poor@", 1)


def newer_schema(it: Installation) -> None:
    it.change("INSERT INTO nabd_migration VALUES (9999, 'flying_bins', 'x', true)")


def schema_that_lacks_a_migration(it: Installation) -> None:
    it.change("DELETE FROM nabd_migration WHERE number = (SELECT max(number) FROM nabd_migration)")


def commits_that_a_crash_loses(it: Installation) -> None:
    """The server of tests runs with fsync off."""


def ingest_that_never_ran(it: Installation) -> None:
    """Nor has any process here."""


def rule_that_broke(it: Installation) -> None:
    it.change(
        "INSERT INTO rule (id, version, kind, definition, created_at, family, broken_reason, active)"
        " VALUES ('overflow', 1, 'bin', '{}', now(), 'stream', 'ZeroDivisionError: division by zero', true)"
    )


def notifier_that_stopped(it: Installation) -> None:
    it.change("UPDATE notifier SET alive_at = now() - interval '5 minutes'")


BROKEN: dict[Callable[[Installation], None], str] = {
    full_disk: "disk",
    kind_with_a_mistake: "kinds",
    port_in_use: "port",
    clock_that_is_off: "clock",
    broker_that_is_away: "broker",
    database_that_is_away: "database",
    role_that_does_not_exist: "database account",
    role_without_rights: "database account",
    newer_schema: "schema",
    schema_that_lacks_a_migration: "schema",
    commits_that_a_crash_loses: "durability",
    ingest_that_never_ran: "ingest",
    rule_that_broke: "rules",
    notifier_that_stopped: "notify",
}


@pytest.fixture
def whole(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    found = Installation(dsn=dsn, place=tmp_path, patch=monkeypatch)
    found.settings = {"NABD_DATABASE": dsn, "NABD_DATA_DIR": str(tmp_path), "NABD_HTTP_PORT": "0"}
    yield found
    for one in found.open:
        one.close()


@pytest.mark.parametrize("harm", BROKEN, ids=lambda harm: harm.__name__)
def test_broken_installation_is_told_as_the_page_shows(
    whole: Installation, harm: Callable[[Installation], None]
) -> None:
    harm(whole)

    done = nabd(whole.settings, "doctor", "--json")

    found = {one["code"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert "N000" not in found
    one = found[CODES[BROKEN[harm]]]
    assert (done.exit_code, one["verdict"]) == (1, "bad")
    told = f"{one['code']} {one['subject']}: {_said(one['said'], whole)}\n  fix: {_said(one['fix'], whole)}\n"
    assert "secret" not in told
    assert " ".join(told.split()) in " ".join(PAGE.split()), f"docs/doctor.md has to have:\n{told}"


def _said(text: str, whole: Installation) -> str:
    """Return what is said with the places of an installation instead of the test's."""
    text = text.replace(str(whole.place), "/var/lib/nabd")
    text = text.replace(f":{whole.settings['NABD_HTTP_PORT']}", ":8000")
    text = re.sub(r"database test_\d+ at \S+?:? ", "database town at database: ", text)
    text = re.sub(r"\d[\d,.]* GB free", "0.4 GB free", text)
    text = re.sub(r"[\d,]+ s (ahead|behind)", r"3,600 s \1", text)
    text = re.sub(r"for \d+ s$", "for 300 s", text)
    text = re.sub(r"\b00\d\d_[a-z_]+", "0042_web_push", text)
    return re.sub(r"ends at \d{4}", "ends at 0042", text)


def test_every_number_stands_on_the_page_and_once() -> None:
    assert len(set(CODES.values())) == len(CODES)
    for subject, code in CODES.items():
        assert f"| {code} | {subject} |" in PAGE


def test_every_check_has_a_number() -> None:
    called = re.compile(r"\b(?:fine|note|bad)\(\s*\"([A-Za-z ]+)\"")
    files = sorted((ROOT / "nabd/doctor").rglob("*.py"))
    subjects = {subject for file in files for subject in called.findall(file.read_text(encoding="utf-8"))}

    assert len(subjects) > 20
    assert subjects - CODES.keys() == set()
