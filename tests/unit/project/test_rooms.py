"""The shape of the tree: no folder is crowded, and nothing imports in a circle (`scripts/rooms`)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
MOST_MODULES = 20
CONSOLE = ROOT / "api/console"
WAITING = {"shell": 32}
"""Folders of scripts that have no rooms yet, and may not grow until they have."""


def rooms(root: Path, *arguments: str) -> dict[str, Any]:
    """Return what the script of a tree says about it."""
    command: list[str | Path] = [sys.executable, root / "scripts/rooms", "--json", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def tree() -> dict[str, Any]:
    return rooms(ROOT)


def test_no_folder_has_more_modules_than_one_can_overlook(tree: dict[str, Any]) -> None:
    crowded = {folder: count for folder, count in tree["folders"].items() if count > MOST_MODULES}

    assert len(tree["folders"]) > 30
    assert crowded == {}, "make rooms, see CONTRIBUTING.md"


def test_no_folder_of_the_console_has_more_scripts_than_one_can_overlook() -> None:
    scripts = [script for script in CONSOLE.rglob("*.js") if "vendor" not in script.parts]
    counts = Counter(script.parent.relative_to(CONSOLE).as_posix() for script in scripts)
    crowded = {folder: count for folder, count in counts.items() if count > MOST_MODULES}

    assert len(counts) > 10
    assert crowded.keys() <= WAITING.keys(), "make rooms, as admin has them"
    assert all(count <= WAITING[folder] for folder, count in crowded.items())


def test_neither_modules_nor_rooms_import_in_a_circle(tree: dict[str, Any]) -> None:
    between_rooms = [circle for package in tree["packages"].values() for circle in package["room_circles"]]

    assert (tree["circles"], between_rooms) == ([], [])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A tree of one package with two folders."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/rooms", tmp_path / "scripts/rooms")
    texts = {
        "__init__.py": "",
        "top.py": "from town import low\nfrom town.low.ground import X\nimport json",
        "low/__init__.py": "",
        "low/ground.py": "X = 1",
        "low/floor.py": "from . import ground",
        "high/__init__.py": "",
        "high/roof.py": "import town.low.floor\nfrom ..low.ground import X",
    }
    for name, text in texts.items():
        path = tmp_path / "town" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_levels_are_the_modules_on_the_longest_chain(small: Path) -> None:
    found = rooms(small)

    assert found["folders"] == {"town": 1, "town/high": 1, "town/low": 2}
    assert found["packages"]["town"] == {
        "modules": 4,
        "levels": 3,
        "chain": ["town.high.roof", "town.low.floor", "town.low.ground"],
        "room_levels": 2,
        "room_chain": ["town.high", "town.low"],
        "room_circles": [],
    }
    assert found["circles"] == []


def test_imports_that_do_not_run_do_not_count(small: Path) -> None:
    lazy = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from town.high import roof\n"
    lazy += "def f():\n    from town.high import roof\n"
    (small / "town/low/ground.py").write_text(lazy, encoding="utf-8")

    assert rooms(small)["circles"] == []


def test_a_circle_is_named_and_does_not_end_the_count(small: Path) -> None:
    (small / "town/low/ground.py").write_text("from town.high import roof", encoding="utf-8")

    found = rooms(small)

    assert found["circles"]
    for circle in found["circles"]:
        assert circle[0] == circle[-1]
        assert set(circle) <= {"town.high.roof", "town.low.floor", "town.low.ground"}
    assert [sorted(set(circle)) for circle in found["packages"]["town"]["room_circles"]] == [
        ["town.high", "town.low"]
    ]
    assert found["packages"]["town"]["levels"] >= 2


def test_an_older_commit_is_read_from_git(small: Path) -> None:
    git: list[str | Path] = ["git", "-C", small, "-c", "user.name=n", "-c", "user.email=e@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "town: stands"]):
        subprocess.run([*git, *command], check=True)
    before = rooms(small)
    (small / "town/low/floor.py").unlink()

    assert rooms(small, "--at", "HEAD") == before
    assert rooms(small) != before
