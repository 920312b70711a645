"""`.pre-commit-config.yaml`: the same checks as `make check`, and nothing fetched."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
CONFIGURATION: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
HOOKS: list[dict[str, Any]] = [hook for repo in CONFIGURATION["repos"] for hook in repo["hooks"]]


def of_make_check() -> set[str]:
    """Return the commands of the target, without the files they are given."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found
    commands = found[1].replace("$(BIN)", ".venv/bin")
    return {re.sub(r" \.$| \S*\*\S*$", "", line.strip()) for line in commands.splitlines()}


def test_hooks_run_what_make_check_runs() -> None:
    assert {hook["entry"] for hook in HOOKS} == of_make_check()


def test_nothing_is_fetched() -> None:
    assert [repo["repo"] for repo in CONFIGURATION["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"system"}
    assert not any("additional_dependencies" in hook for hook in HOOKS)
