"""docs/security.md names controls that exist, tests that exist, and every attack that is tried."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
CONTROLS = dict(re.findall(r"^\| (C\d+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE))


def section(title: str) -> list[str]:
    """Return the cells of the last column of a section's table."""
    text = PAGE.partition(f"\n## {title}")[2].partition("\n## ")[0]
    return re.findall(r"^\| .+ \| ([^|]+) \|$", text, re.MULTILINE)[1:]


def test_every_control_is_shown_by_tests_that_exist() -> None:
    assert list(CONTROLS) == [f"C{n + 1}" for n in range(len(CONTROLS))]
    named = {path for tests in CONTROLS.values() for path in re.findall(r"`([^`]+)`", tests)}
    assert {path for path in named if not (ROOT / "tests" / path).is_file()} == set()
    assert all("`" in tests for tests in CONTROLS.values())


def test_every_file_of_attacks_stands_for_a_control() -> None:
    files = {f"attacks/{one.name}" for one in (ROOT / "tests/attacks").glob("test_*.py")}
    assert {one for one in files if one not in PAGE} == set()


def test_every_risk_provision_and_conduit_has_a_control_that_exists() -> None:
    for title in ("Zones and conduits", "OWASP API Security Top 10 (2023)", "ETSI EN 303 645"):
        for cell in section(title):
            said = re.findall(r"\bC\d+\b", cell)
            if title == "Zones and conduits" and not said:
                continue  # the zones stand above the conduits
            assert said or "SECURITY.md" in cell, cell
            assert set(said) <= set(CONTROLS), cell
    assert len(section("OWASP API Security Top 10 (2023)")) == 10
    assert len(section("ETSI EN 303 645")) == 14
