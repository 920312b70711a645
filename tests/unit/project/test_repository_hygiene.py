"""What must be true of every tracked file: no package host, no machine path, links that lead somewhere."""

from __future__ import annotations

import itertools
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# Written in parts, so that this file does not name what it forbids.
PACKAGE_HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("registry-1", "docker", "io"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
    ]
]
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:(?:home|root|Users|opt/wheels)/|work/(?:main|shared|\.))")
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".json",
    ".sql",
    ".js",
    ".css",
    ".html",
    ".conf",
    ".txt",
    ".sh",
    "",
}


def tracked() -> list[Path]:
    """Return every tracked text file; those being written as well, so that a commit finds no surprise."""
    listed = subprocess.run(
        [
            "git",
            "-c",
            f"safe.directory={ROOT}",
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [p for p in paths if p.is_file() and p.suffix in TEXT]


FILES = tracked()
DOCS = sorted(p for p in FILES if p.suffix == ".md")
ADRS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))


def test_no_file_names_a_package_host() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in FILES
        for host in PACKAGE_HOSTS
        if host in path.read_text(encoding="utf-8", errors="replace")
    ]

    assert found == []


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in FILES
        if path != Path(__file__)
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if MACHINE_PATHS.search(line)
    ]

    assert found == []


def test_every_dependency_says_why_it_is_there() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()

    named = [line for line in lines if re.match(r'    "[A-Za-z0-9-]+[><=]', line)]
    silent = [line for line in named if not re.search(r'",\s+# \S', line)]
    assert named

    assert silent == []


def test_every_dependency_is_pinned_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    extras = itertools.chain.from_iterable(project["optional-dependencies"].values())
    wanted = [*project["dependencies"], *extras, "setuptools>=77"]

    missing = [
        name
        for name in (re.split(r"[\[><=]", requirement)[0].lower() for requirement in wanted)
        if not re.search(rf"^{re.escape(name)}==[^\n]*\\\n    --hash=sha256:", pinned, re.MULTILINE)
    ]

    assert missing == [], "run scripts/lock"


@pytest.mark.parametrize(
    "page", [p for p in DOCS if "console" not in p.parts], ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_link_of_the_page_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)

    broken = [
        link
        for link in links
        if not re.match(r"https?:|mailto:|#", link) and not (page.parent / link.split("#")[0]).exists()
    ]

    assert broken == []


@pytest.mark.parametrize("page", DOCS, ids=lambda p: str(p.relative_to(ROOT)))
def test_lines_of_the_page_are_not_too_long(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)

    long = [line for line in text.splitlines() if len(line) > 125 and not line.startswith(("|", "[", "!"))]

    assert long == []


@pytest.mark.parametrize("decision", ADRS, ids=lambda p: p.stem)
def test_decision_is_short_and_complete(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 40
    for part in ("## Context", "## Decision", "## Consequences"):
        assert part in text


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(p.name[:4]) for p in ADRS]

    assert numbers == list(range(1, len(numbers) + 1))
