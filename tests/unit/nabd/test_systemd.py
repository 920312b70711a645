"""Units as systemd itself reads them: valid, confined, complete; what is the administrator's stays."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from nabd.cli import app
from nabd.identity import tls_files
from nabd.systemd.units import SECRETS, UNITS, Unit, rendered
from tests.parts import CADDY, SYSTEMD, missing

ROOT = Path(__file__).parents[3]
EXPOSED_AT_MOST = 2.0
"""Of ten, by `systemd-analyze security`; what is below 2.2 is called OK."""
BASE = (
    "sysinit.target",
    "basic.target",
    "network-online.target",
    "multi-user.target",
    "shutdown.target",
    "timers.target",
)


def install(root: Path, *options: str) -> list[dict[str, str]]:
    result = CliRunner().invoke(app, ["install", "systemd", "--root", str(root), "--json", *options])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine's / with our units, programs of their names, and the targets that every machine has."""
    found = tmp_path_factory.mktemp("root")
    install(found)
    for program in ("usr/lib/nabd/bin/nabd", "usr/bin/caddy", "bin/kill"):
        (found / program).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/true", found / program)
    for target in BASE:
        (found / "usr/lib/systemd/system" / target).write_text("[Unit]\nDefaultDependencies=no\n")
    return found


def analyze(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        missing(SYSTEMD)
    return subprocess.run(
        ["systemd-analyze", *arguments, f"--root={root}", "--no-pager"],
        capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_LOG_LEVEL": "warning"},
    )  # fmt: skip


def test_systemd_reads_every_unit_without_a_word(root: Path) -> None:
    timers = [f"{unit.name}.timer" for unit in UNITS if unit.at]
    services = [f"{unit.name}.service" for unit in UNITS]
    done = analyze(root, "verify", "--man=no", "nabd.target", *services, *timers)

    assert timers == ["nabd-backup.timer"]

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.name))
def test_unit_is_confined(root: Path, unit: Unit) -> None:
    done = analyze(root, "security", "--offline=true", f"{unit.name}.service")

    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= EXPOSED_AT_MOST


def test_every_process_that_lasts_has_a_unit_and_a_service() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    nabd = {name for name in services if name.startswith("nabd-")} - {
        "nabd-accounts",
        "nabd-owner",
        "nabd-tools",
    }

    assert {unit.name for unit in UNITS if unit.account} == nabd


def test_each_process_has_the_same_secrets_by_systemd_and_in_a_container() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    contained = {
        unit.name: {one["target"]: one["source"] for one in services[unit.name]["secrets"]}
        for unit in UNITS
        if unit.account
    }

    assert contained == {
        unit.name: dict(
            re.findall(rf"^LoadCredential=(\w+):{SECRETS}/([a-z-]+)$", rendered(unit), re.MULTILINE)
        )
        for unit in UNITS
        if unit.account
    }


def test_the_key_of_the_authority_is_for_who_signs_and_secrets_for_no_foreign_program() -> None:
    hidden = {unit.name: re.findall(r"InaccessiblePaths=(.+)", rendered(unit)) for unit in UNITS}

    assert [name for name, paths in hidden.items() if not paths] == ["nabd-sweep", "nabd-backup"]
    assert {name for name, paths in hidden.items() if f"-{SECRETS}" in " ".join(paths).split()} == {
        "nabd-broker",
        "nabd-https",
    }


def test_secrets_of_an_older_installation_are_closed_to_the_processes(root: Path) -> None:
    if shutil.which("systemd-tmpfiles") is None:
        missing(SYSTEMD)
    secrets = root / "etc/nabd/secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    for name in ("database-superuser", "broker-api", "email-server"):
        (secrets / name).write_text("secret")
        (secrets / name).chmod(0o640)
    rules = root / "usr/lib/tmpfiles.d/nabd.conf"
    ours = re.sub(r"(\d{4}) (root|nabd) (root|nabd)$", r"\1 - -", rules.read_text(), flags=re.MULTILINE)
    rules.write_text(ours)  # users of ours are not on this machine

    done = subprocess.run(
        ["systemd-tmpfiles", f"--root={root}", "--create", "nabd.conf"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()}
    assert modes == {"database-superuser": 0o600, "broker-api": 0o640, "email-server": 0o600}


def test_nothing_is_written_by_a_dry_run_and_what_is_yours_stays(tmp_path: Path) -> None:
    planned = install(tmp_path, "--dry-run")
    assert list(tmp_path.iterdir()) == []
    first = install(tmp_path)
    (tmp_path / "etc/nabd/Caddyfile").write_text("mine")
    (tmp_path / "usr/lib/systemd/system/nabd-api.service").write_text("old")
    second = {one["path"]: one["outcome"] for one in install(tmp_path)}

    assert {one["outcome"] for one in (*planned, *first)} == {"new"}
    assert [one["path"] for one in planned] == [one["path"] for one in first]
    assert second.pop("/etc/nabd/Caddyfile") == "kept: yours differs"
    assert second.pop("/usr/lib/systemd/system/nabd-api.service") == "changed"
    assert set(second.values()) == {"as before"}
    assert (tmp_path / "etc/nabd/Caddyfile").read_text() == "mine"


def test_who_may_not_write_is_told_the_fix(tmp_path: Path) -> None:
    (tmp_path / "usr").write_text("a file where a directory must be")

    result = CliRunner().invoke(app, ["install", "systemd", "--root", str(tmp_path)])

    assert result.exit_code == 1
    assert "run this as root, or say --root" in " ".join(result.stderr.split())


@pytest.mark.parametrize("certificates", ["files", "acme"])
def test_caddy_reads_its_file(tmp_path: Path, certificates: str) -> None:
    if shutil.which("caddy") is None:
        missing(CADDY)
    tls_files.init(tmp_path, ["localhost"], datetime.now(UTC))
    environment = {"NABD_TLS": str(tmp_path), "NABD_HTTPS": certificates, "HOME": str(tmp_path)}
    done = subprocess.run(
        ["caddy", "validate", "--config", ROOT / "deploy/caddy/Caddyfile", "--adapter", "caddyfile"],
        env={**environment, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "Valid configuration" in done.stdout + done.stderr
