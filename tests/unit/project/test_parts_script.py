"""`scripts/test-parts`: what it installs, what it only names, and when it touches nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import parts

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/test-parts"
MACHINE = ("sh", "dirname", "env", "grep")
PARTS = ("make", "python3", "mosquitto", "mosquitto_pub", "caddy", "chromium", "node", "npm")


class StubMachine:
    """A machine of stubs: it has the programs of `bin` only, and notes what is run as root."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.notes = directory / "notes"
        self.bin.mkdir()
        for program in MACHINE:
            (self.bin / program).symlink_to(str(shutil.which(program)))
        for program in PARTS:
            self.has(program)
        self.has("fc-list", "echo 'Noto Sans Arabic'")
        self.user(0)
        for program in ("apt-get", "tee", "chmod", "rm"):
            self.has(program, f'echo {program} "$@" >> {self.notes}')
        self.has("sudo", "exit 1")

    def has(self, program: str, does: str = "exit 0") -> None:
        path = self.bin / program
        path.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        path.chmod(0o755)

    def lacks(self, *programs: str) -> None:
        for program in programs:
            (self.bin / program).unlink()

    def user(self, uid: int) -> None:
        self.has("id", f"echo {uid}")

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {"PATH": str(self.bin), **environment}
        return subprocess.run([SCRIPT, *arguments], env=settings, capture_output=True, text=True, check=False)

    @property
    def ran_as_root(self) -> list[str]:
        return self.notes.read_text(encoding="utf-8").splitlines() if self.notes.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> StubMachine:
    return StubMachine(tmp_path)


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_nothing_is_run_or_said_when_all_is_there(machine: StubMachine, arguments: tuple[str, ...]) -> None:
    done = machine.run(*arguments)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.ran_as_root == []


def test_check_names_the_command_and_installs_nothing(machine: StubMachine) -> None:
    machine.lacks("chromium", "node", "fc-list")

    done = machine.run("--check")

    assert done.returncode == 1
    assert done.stdout == "apt-get install chromium nodejs fontconfig fonts-noto-core\n"
    assert machine.ran_as_root == []


def test_root_installs_exactly_what_is_missing_without_starting_services(machine: StubMachine) -> None:
    machine.lacks("chromium", "npm")

    done = machine.run()

    assert done.returncode == 0, done.stderr
    assert done.stdout == "test-parts: installing chromium npm\n"
    ran = machine.ran_as_root
    fetched = [line.split() for line in ran if line.startswith("apt-get")]
    if not Path("/usr/sbin/policy-rc.d").exists():
        assert ran[:1] + ran[-1:] == ["tee /usr/sbin/policy-rc.d", "rm -f /usr/sbin/policy-rc.d"]
    assert len(fetched) == 2
    assert fetched[0][-1] == "update"
    assert fetched[1][-5:] == ["install", "--yes", "--no-install-recommends", "chromium", "npm"]


def test_an_ordinary_user_whom_sudo_asks_nothing_installs_too(machine: StubMachine) -> None:
    machine.lacks("chromium")
    machine.user(1000)
    machine.has("sudo", '[ "$1" = -n ] && shift && exec "$@"')
    machine.has("true")

    machine.run()

    assert machine.ran_as_root[-1].endswith("install --yes --no-install-recommends chromium") or (
        machine.ran_as_root[-1].startswith("rm -f")
    )


@pytest.mark.parametrize("lacking", ["sudo", "apt-get"])
def test_who_may_not_install_is_told_the_command_and_goes_on(machine: StubMachine, lacking: str) -> None:
    machine.lacks("chromium", lacking)
    machine.user(1000)

    done = machine.run()

    assert done.returncode == 0
    assert "by hand: apt-get install chromium\n" in done.stderr
    assert machine.ran_as_root == []


def test_who_may_not_install_fails_where_every_part_is_required(machine: StubMachine) -> None:
    machine.lacks("chromium")
    machine.user(1000)

    done = machine.run(NABD_REQUIRE_ALL="1")

    assert done.returncode == 1
    assert "apt-get install chromium" in done.stderr


@pytest.mark.parametrize(("required", "status"), [("", 0), ("1", 1)])
def test_install_that_fails_is_said(machine: StubMachine, required: str, status: int) -> None:
    machine.lacks("chromium")
    machine.has("apt-get", "exit 100")

    done = machine.run(NABD_REQUIRE_ALL=required)

    assert done.returncode == status
    assert "could not install" in done.stderr
    assert "by hand: apt-get install chromium\n" in done.stderr


def test_the_script_knows_every_package_that_a_skipped_test_names() -> None:
    known = set(re.findall(r"^need ([\w-]+)", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        package
        for part in vars(parts).values()
        if isinstance(part, parts.MachinePart) and part.remedy.startswith("apt-get install ")
        for package in part.remedy.split()[2:]
    }

    assert named
    assert named <= known


def test_ci_and_make_test_call_it() -> None:
    assert "scripts/test-parts" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "scripts/test-parts" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_skipped_tests_are_counted_for_each_missing_part() -> None:
    accounts = [("a.py", 1, "Skipped: no x; get x"), ("b.py", 2, "Skipped: no y; get y")]

    lines = parts.closing_lines([accounts[1], *accounts])

    assert lines == ["skipped 2 tests: no y; get y", "skipped 1 test: no x; get x"]


def test_a_missing_part_skips_unless_all_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NABD_REQUIRE_ALL", "")
    with pytest.raises(pytest.skip.Exception, match=r"^no node; apt-get install nodejs npm$"):
        parts.missing(parts.NODE)

    monkeypatch.setenv("NABD_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="no node; apt-get install nodejs npm"):
        parts.missing(parts.NODE)
    with pytest.raises(pytest.skip.Exception):
        parts.missing(parts.ROOT)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_was_skipped_is_said_last(tmp_path: Path, workers: str) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.conftest import pytest_sessionfinish\n", encoding="utf-8"
    )
    tests = "from tests.parts import NODE, missing\n\ndef test_a():\n    missing(NODE)\n\ntest_b = test_a\n"
    (tmp_path / "test_both.py").write_text(tests, encoding="utf-8")
    without = [
        a for plugin in ("cacheprovider", "schemathesis", "hypothesispytest") for a in ("-p", f"no:{plugin}")
    ]
    command = [sys.executable, "-m", "pytest", *without, "-n", workers]

    done = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NABD_REQUIRE_ALL": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    *_, summary, last = done.stdout.splitlines()
    assert "2 skipped" in summary, done.stdout + done.stderr
    assert last == "skipped 2 tests: no node; apt-get install nodejs npm"
