"""The doors that deploy/mosquitto/start writes, by the mosquitto it finds; no broker runs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

START = Path(__file__).parents[3] / "deploy/mosquitto/start"
SECRETS = {"MQTT_INGEST_PASSWORD": "in", "MQTT_API_PASSWORD": "out", "MQTT_SIMULATOR_PASSWORD": "play"}
MOSQUITTO = """\
#!/bin/sh
[ "$1" != -h ] || echo "mosquitto version {version}"
"""
PASSWD = """\
#!/bin/sh
[ "$1" != -b ] || echo "$3" >>"$2"
"""
"""Keeps names only."""


def configuration(directory: Path, version: str, **environment: str) -> str:
    """Run start with programs that only say who they are; return what the broker would read."""
    for name, text in (("mosquitto", MOSQUITTO.format(version=version)), ("mosquitto_passwd", PASSWD)):
        (directory / name).write_text(text, encoding="utf-8")
        (directory / name).chmod(0o755)
    if not (directory / "chown").exists():
        (directory / "chown").symlink_to("/bin/true")
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "MQTT_DATA": str(directory), "MQTT_WATCH_SECONDS": "0.1"}
    environment = {**own, **SECRETS, **environment}
    subprocess.run([START], env=environment, check=True, capture_output=True)
    return (directory / "mosquitto.conf").read_text(encoding="utf-8")


def names(file: Path) -> list[str]:
    """Return who has a password in a file."""
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def test_doors_are_open_on_this_machine_only_unless_said_otherwise(tmp_path: Path) -> None:
    conf = configuration(tmp_path, "2.1.2", MQTT_DEVICES_DOOR="*:8883")

    assert re.findall(r"^listener (.*)$", conf, re.MULTILINE) == ["8883 ", "1884 127.0.0.1", "1885 127.0.0.1"]


@pytest.mark.parametrize("version", ["2.0.11", "2.0.23", "2.1.2"])
def test_each_door_has_its_own_passwords(tmp_path: Path, version: str) -> None:
    conf = configuration(tmp_path, version)

    assert conf.startswith("per_listener_settings true\n")
    assert conf.count("\nallow_anonymous false\n") == 3
    assert re.findall(r"^password_file .*/(.*)$", conf, re.MULTILINE) == [
        "passwords",
        "passwords.platform",
        "passwords.ingest",
    ]
    assert names(tmp_path / "passwords") == []
    assert names(tmp_path / "passwords.platform") == ["~api", "~simulator"]
    assert names(tmp_path / "passwords.ingest") == ["~ingest"]


@pytest.mark.parametrize("version", ["2.0.12", "2.0.18", "2.0.22"])
def test_doors_share_passwords_where_their_own_would_lose_messages(tmp_path: Path, version: str) -> None:
    conf = configuration(tmp_path, version)

    assert "per_listener_settings" not in conf
    assert conf.count("\nallow_anonymous false\n") == conf.count("\npassword_file ") == 1
    assert names(tmp_path / "passwords") == ["~ingest", "~api", "~simulator"]


@pytest.mark.parametrize(("version", "kept"), [("2.0.22", "newest"), ("2.0.23", "oldest")])
def test_the_newest_password_counts_where_no_door_is_its_own(tmp_path: Path, version: str, kept: str) -> None:
    (tmp_path / "incoming").mkdir()
    lists = {"passwords": "oldest", "passwords.next": "newest"}
    for name, password in lists.items():
        text = f"# nabd: 1 devices\nBIN-1:$7$1${'s' * 16}${password:x<88}\n"
        (tmp_path / "incoming" / name).write_text(text, encoding="utf-8")
    configuration(tmp_path, version)

    passwords = (tmp_path / "passwords").read_text(encoding="utf-8")
    assert [found for found in lists.values() if found in passwords] == [kept]
    assert (tmp_path / "incoming/applied").read_text(encoding="utf-8").count("taken") == 2


def test_doors_share_passwords_until_ingest_has_come_once_to_a_store_of_an_older_mosquitto(
    tmp_path: Path,
) -> None:
    (tmp_path / "mosquitto.db").touch()

    first, then = configuration(tmp_path, "2.1.2"), configuration(tmp_path, "2.1.2")
    older, newer = configuration(tmp_path, "2.0.22"), configuration(tmp_path, "2.1.2")

    assert ["per_listener_settings" in conf for conf in (first, then, older, newer)] == [
        False,
        True,
        False,
        False,
    ]
