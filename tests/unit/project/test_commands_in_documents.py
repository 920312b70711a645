"""Every `nabd` command that a document or the compose file names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from nabd.cli import app

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"`([^`\n]+)`|^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"\bnabd ([a-z]+(?:-[a-z]+)*)\b")


def named_in_documents() -> set[str]:
    """Return the commands named in code, in pages."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    code = ["".join(groups) for text in texts for groups in CODE.findall(text)]
    return {name for text in code for name in COMMAND.findall(text)}


def named_in_compose() -> set[str]:
    """Return the commands that services run."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    ours = [service for service in services.values() if service["image"].startswith("nabd:")]
    checks = [service["healthcheck"]["test"] for service in ours if "healthcheck" in service]
    run = {service["command"][0] for service in ours} - {"--help"}
    return run | {c[2] for c in checks if c[1] == "nabd"}


@pytest.mark.parametrize("name", sorted(named_in_documents() | named_in_compose()))
def test_command_exists(name: str) -> None:
    outcome = CliRunner().invoke(app, [name, "--help"])

    assert outcome.exit_code == 0, outcome.stderr
