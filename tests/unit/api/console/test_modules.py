"""Modules of the console: what one exports somebody uses, and what one imports it uses."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Final

import api
import tests
from tests.parts import need_node

CONSOLE: Final = Path(api.__file__).parent / "console"
TESTS: Final = Path(tests.__file__).parent
_STATIC = re.compile(r'^(?:import|export)\s+([^;]*?)\s+from\s+"([^"]+)";', re.MULTILINE | re.DOTALL)
_EXPORTED = re.compile(r"^export (?:async )?(?:function|const|let|class) ([\w$]+)", re.MULTILINE)
_DYNAMIC = re.compile(r'import\("([^"]+)"\)')
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)


def modules() -> Mapping[Path, str]:
    """Return the text of each of our modules; the libraries are as their makers wrote them."""
    files = [one for one in CONSOLE.rglob("*.js") if "vendor" not in one.parts]
    return {one: _COMMENT.sub("", one.read_text(encoding="utf-8")) for one in files}


def imported(text: str) -> list[tuple[str, str, str]]:
    """Return what a module imports by name: (from where, what it is called there, what it is called here)."""
    found = []
    for names, source in _STATIC.findall(text):
        if names.startswith("*"):
            found.append((source, "*", names.split()[-1]))
        for part in names.strip("{} \n").split(",") if names.startswith("{") else ():
            there, _, here = part.strip().partition(" as ")
            if there:
                found.append((source, there, here or there))
    return found


def _says(text: str, name: str) -> bool:
    """Tell whether a name stands in a text by itself, and not as a member of something."""
    return (
        re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", re.sub(r"(?<!\.)\.[\w$]+", ".", text)) is not None
    )


def test_every_module_can_be_read() -> None:
    need_node()
    script = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ SourceTextModule }} from "node:vm";
        for (const path of {json.dumps([str(path) for path in modules()])}) {{
          try {{ new SourceTextModule(readFileSync(path, "utf-8")); }}
          catch (error) {{ console.log(path, error.message); }}
        }}"""
    node = ["node", "--no-warnings", "--experimental-vm-modules", "--input-type=module", "-e", script]
    said = subprocess.run(node, check=True, capture_output=True, text=True, timeout=30)

    assert said.stdout == ""


def test_what_is_imported_is_used() -> None:
    unused = [
        f"{path.relative_to(CONSOLE)}: {here}"
        for path, text in modules().items()
        for _, _, here in imported(text)
        if not _says(_STATIC.sub("", text), here)
    ]

    assert not unused, unused


def test_what_is_exported_is_used_elsewhere() -> None:
    known = modules()
    said_by_tests = "".join(one.read_text(encoding="utf-8") for one in (TESTS / "unit").rglob("test_*.py"))
    wanted: dict[Path, set[str]] = {path: set() for path in known}
    for path, text in known.items():
        for source, there, here in imported(text):
            target = (path.parent / source).resolve()
            names = {there} if there != "*" else set(re.findall(rf"\b{here}\.(\w+)", text))
            wanted.setdefault(target, set()).update(names)
        # What is fetched when it is wanted is taken apart in many ways: each word counts.
        for source in _DYNAMIC.findall(text):
            wanted.setdefault((path.parent / source).resolve(), set()).update(re.findall(r"\w+", text))
    unused = [
        f"{path.relative_to(CONSOLE)}: {name}"
        for path, text in known.items()
        for name in _EXPORTED.findall(text)
        if name not in wanted[path] and not re.search(rf"\b{re.escape(name)}\b", said_by_tests)
    ]

    assert not unused, unused


def test_what_is_imported_is_there() -> None:
    known = modules()
    for path, text in known.items():
        for source, there, _ in imported(text):
            target = (path.parent / source).resolve()
            if target in known and there != "*":
                exported = set(_EXPORTED.findall(known[target]))
                exported |= {name for _, _, name in imported(known[target])}
                assert there in exported, (
                    f"{path.relative_to(CONSOLE)} imports {there}, which {source} has not"
                )
        for source in chain([one for one, _, _ in imported(text)], _DYNAMIC.findall(text)):
            assert (path.parent / source).resolve().is_file(), f"{path.relative_to(CONSOLE)}: no {source}"
