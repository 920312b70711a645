"""Profiles of the operator's own: beside the shipped ones, in place of them, and wrong ones."""

from __future__ import annotations

from pathlib import Path

from devices import profiles
from tests.unit.wire.profile.profiles import KINDS

OWN = 'profile = "{name}"\ntitle = "{title}"\nkind = "bin"\n[[readings]]\n[readings.values]\nfill_pct = "f"\n'


def write(directory: Path, file: str, name: str = "own", title: str = "Own") -> Path:
    path = directory / file
    path.write_text(OWN.format(name=name, title=title), encoding="utf-8")
    return path


def test_profiles_of_the_directory_are_beside_the_shipped_ones(tmp_path: Path) -> None:
    write(tmp_path, "own.toml")

    loaded = profiles.load(KINDS, tmp_path)

    assert loaded.is_own("own")
    assert not loaded.is_own("dragino-ldds75")
    assert len(loaded) == len(profiles.load(KINDS)) + 1


def test_one_of_the_directory_stands_in_for_a_shipped_one(tmp_path: Path) -> None:
    write(tmp_path, "ours.toml", "dragino-ldds75", "Ours")

    loaded = profiles.load(KINDS, tmp_path)

    assert (loaded["dragino-ldds75"].title["en"], loaded.is_own("dragino-ldds75")) == ("Ours", True)


def test_a_file_with_a_mistake_is_told_and_its_running_profile_stays(tmp_path: Path) -> None:
    path = write(tmp_path, "own.toml")
    running = profiles.load(KINDS, tmp_path)
    path.write_text(path.read_text().replace("fill_pct", "fil_pct"), encoding="utf-8")

    again = profiles.load(KINDS, tmp_path, running)
    fresh = profiles.load(KINDS, tmp_path)

    assert again["own"] is running["own"]
    assert [(Path(e.file).name, e.line, e.column, e.suggestion) for e in again.refused] == [
        ("own.toml", 6, 1, "fill_pct")
    ]
    assert "own" not in fresh
    assert len(fresh) == len(profiles.load(KINDS))


def test_two_files_of_one_name_are_told_and_the_first_is_used(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", title="First")
    write(tmp_path, "b.toml", title="Second")

    loaded = profiles.load(KINDS, tmp_path)

    assert loaded["own"].title["en"] == "First"
    assert [e.message for e in loaded.refused] == ["a.toml is profile own already"]


def test_a_directory_that_is_none_is_told(tmp_path: Path) -> None:
    loaded = profiles.load(KINDS, tmp_path / "none")

    assert "correct NABD_PROFILES_DIR" in str(loaded.refused[0])
    assert "dragino-ldds75" in loaded


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe")

    assert "cannot be read" in str(profiles.load(KINDS, tmp_path).refused[0])


def test_a_codec_lies_beside_its_profile(tmp_path: Path) -> None:
    path = write(tmp_path, "own.toml")
    path.write_text('codec = "own.js"\n' + path.read_text(), encoding="utf-8")

    loaded = profiles.load(KINDS, tmp_path)

    assert loaded.codec("own") == tmp_path / "own.js"
    assert loaded.codec("dragino-ldds75") is None
