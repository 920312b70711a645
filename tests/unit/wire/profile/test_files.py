"""Profiles of a running process: read again when a file changes, and kept when one becomes wrong."""

from __future__ import annotations

import os
from pathlib import Path

from devices.profiles.files import ProfileFiles
from tests.unit.wire.profile.profiles import KINDS
from tests.unit.wire.profile.test_directory import write


def test_a_changed_file_is_read_again_and_a_wrong_one_leaves_what_ran(tmp_path: Path) -> None:
    path = write(tmp_path, "own.toml", title="First")
    files = ProfileFiles(KINDS, tmp_path)
    first = files.current()
    assert files.current() is first

    write(tmp_path, "own.toml", title="Second one")
    second = files.current()
    path.write_text("profile = ", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    third = files.current()
    path.unlink()

    assert (first["own"].title["en"], second["own"].title["en"], third["own"].title["en"]) == (
        "First",
        "Second one",
        "Second one",
    )
    assert [error.line for error in third.refused] == [1]
    assert "own" not in files.current()
