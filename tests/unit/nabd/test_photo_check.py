"""`nabd doctor` says whether photos of work can be kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nabd.doctor import installation
from nabd.doctor.check import Verdict
from nabd.doctor.installation import check_files, check_photos
from nabd.settings import Settings


def test_directory_that_will_be_made_is_fine(tmp_path: Path) -> None:
    assert check_photos(tmp_path / "later" / "photos").verdict is Verdict.FINE


def test_what_cannot_be_written_to_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    assert check_photos(file).verdict is Verdict.BAD

    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    found = check_photos(tmp_path)

    assert (found.verdict, found.said) == (Verdict.BAD, f"{tmp_path} cannot be written to")
    assert "NABD_PHOTO_DIR" in found.fix


def test_a_full_disk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "ROOM_GB", 1e9)

    assert "no photo of work" in check_photos(tmp_path).fix


def test_what_may_not_be_looked_at_is_bad_and_stops_no_other_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = tmp_path / "shut"
    exists = Path.exists

    def refused(path: Path) -> bool:  # root may look everywhere
        if path == shut / "photos":
            raise PermissionError(13, "Permission denied", str(path))
        return exists(path)

    monkeypatch.setattr(Path, "exists", refused)

    found = check_files(Settings(data_dir=tmp_path, photo_dir=shut / "photos", compiled_code=False))

    assert [(one.subject, one.verdict) for one in found] == [
        ("kinds", Verdict.FINE),
        ("profiles", Verdict.FINE),
        ("compiled code", Verdict.NOTE),
        ("disk", Verdict.FINE),
        ("photos", Verdict.BAD),
    ]
    assert found[-1].said == f"{shut}/photos cannot be looked at: Permission denied"
