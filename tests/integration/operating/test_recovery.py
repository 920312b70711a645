"""A killed server comes back from base backup and archive; one that archives nothing is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from nabd.backup.recovery import drill
from nabd.backup.recovery.drill import DrillReport
from tests.integration.operating.conftest import nabd


def test_drill_loses_no_more_than_the_archive_says() -> None:
    done = nabd({}, "backup", "drill", "--archive-timeout", "1", "--for", "3", "--json")

    found = json.loads(done.stdout)
    assert done.exit_code == 0, done.stderr
    assert (found["passed"], found["gaps"], found["differing"]) == (True, 0, {})
    assert 0 < found["restored"] <= found["committed"]
    assert found["other_tables"] > 60
    assert 0 <= found["rpo_s"] < 60
    assert found["rto_s"] > 0


def test_server_that_archives_nothing_has_no_base_backup(dsn: str, tmp_path: Path) -> None:
    done = nabd({"NABD_DATABASE": dsn}, "backup", "base", tmp_path / "bases")

    assert (done.exit_code, "archives no WAL" in done.stderr) == (1, True)
    assert not (tmp_path / "bases").exists()


def test_recovery_refuses_what_is_no_base_backup_and_what_is_not_empty(tmp_path: Path) -> None:
    base, wal, into = tmp_path / "base", tmp_path / "wal", tmp_path / "into"
    for directory in (base, wal, into):
        directory.mkdir()
    command = ("backup", "recover", base, "--wal", wal, "--into", into)

    assert "is no base backup" in nabd({}, *command).stderr
    (base / "PG_VERSION").write_text("18\n")
    assert "holds no archived WAL" in nabd({}, *command).stderr
    (wal / "000000010000000000000001").touch()
    (into / "PG_VERSION").touch()
    assert "into is not empty" in nabd({}, *command).stderr
    (into / "PG_VERSION").unlink()
    assert "has no whole backup_manifest" in nabd({}, *command, "--until", "2026-01-01T12:00:00Z").stderr
    # Copied hither long after it was made: what counts is what the manifest says.
    files = [{"Path": "a", "Last-Modified": f"2026-01-01 {hour}:00:00 GMT"} for hour in ("11", "12", "09")]
    (base / "backup_manifest").write_text(json.dumps({"Files": files}))
    assert "was not finished at" in nabd({}, *command, "--until", "2026-01-01T12:00:00Z").stderr
    assert "pg_verifybackup failed" in nabd({}, *command, "--until", "2026-01-01T12:00:01Z").stderr


def test_archiving_keeps_a_segment_once_and_refuses_another_of_its_name(tmp_path: Path) -> None:
    segment, archive = tmp_path / "segment", tmp_path / "archive"
    segment.write_bytes(b"wal")

    def keep() -> int:
        command: list[str | Path] = ["/bin/sh", drill.ARCHIVE, segment, "0001", archive]
        return subprocess.run(command, check=False, capture_output=True).returncode

    assert keep() == 1
    archive.mkdir()
    assert (keep(), keep()) == (0, 0)
    segment.write_bytes(b"other")
    assert keep() == 1
    assert [(path.name, path.read_bytes()) for path in archive.iterdir()] == [("0001", b"wal")]


def test_archiving_succeeds_only_once_the_name_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, archive, log = tmp_path / "segment", tmp_path / "archive", tmp_path / "log"
    segment.write_bytes(b"wal")
    archive.mkdir()
    sync = tmp_path / "bin/sync"
    sync.parent.mkdir()
    sync.write_text(f'#!/bin/sh\necho "$1" $(ls {archive}) >> {log}\nexec {shutil.which("sync")} "$@"\n')
    sync.chmod(0o755)
    monkeypatch.setenv("PATH", str(sync.parent), prepend=":")
    command: list[str | Path] = ["/bin/sh", drill.ARCHIVE, segment, "0001", archive]

    for _ in range(2):
        subprocess.run(command, check=True)

    part = f"{archive}/0001.part 0001.part"
    assert log.read_text().splitlines() == [part, f"{archive} 0001", f"{archive} 0001"]


def test_drill_that_lost_more_than_the_archive_may_has_not_passed() -> None:
    report = DrillReport(
        rpo_s=31.0,
        rto_s=4.0,
        archive_timeout_s=1,
        committed=90,
        restored=60,
        gaps=0,
        other_tables=95,
        differing={},
    )

    assert report.passed
    assert not replace(report, rpo_s=31.1).passed
