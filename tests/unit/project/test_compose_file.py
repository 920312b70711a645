"""docker-compose.yml: valid, without default secrets, open on this machine only, true to the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nabd.channel_settings import ChannelSettings
from nabd.retention_settings import RetentionSettings
from nabd.settings import Settings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"nabd-migrate", "grafana-account"}


def test_compose_file_is_valid() -> None:
    # The Compose Specification's own schema, Apache-2.0; see schemas.md beside it.
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_every_secret_is_required_and_has_no_default() -> None:
    optional = {"MQTT_SIMULATOR_PASSWORD"}  # empty: nobody may play a device

    secrets = re.findall(r"\$\{(\w+_PASSWORD)([^}]*)\}", TEXT)

    assert secrets
    for name, rule in secrets:
        assert rule.startswith(":?") or (name in optional and rule == ":-"), name


def test_example_environment_names_every_variable_and_no_secret() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    used = set(re.findall(r"\$\{(\w+)", TEXT))
    offered = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", example, re.MULTILINE))

    assert used == set(offered)
    assert not any(value for name, value in offered.items() if name.endswith("_PASSWORD"))


def test_settings_that_it_hands_on_exist_and_leave_defaults_to_nabd() -> None:
    handed = {
        name: rule
        for service in SERVICES.values()
        for name, rule in service.get("environment", {}).items()
        if rule == f"${{{name}:-}}" and name.startswith("NABD_")
    }
    kept = {f"NABD_{name.upper()}" for name in RetentionSettings.model_fields}
    kept |= {f"NABD_{name.upper()}" for name in Settings.model_fields if name.endswith("retention_days")}
    told = {f"NABD_{name.upper()}" for name in ChannelSettings.model_fields}

    assert handed.keys() <= {f"NABD_{name.upper()}" for name in Settings.model_fields}
    assert kept <= SERVICES["nabd-sweep"]["environment"].keys()
    assert told <= SERVICES["nabd-notify"]["environment"].keys()
    assert "NABD_MAP_TILES" in SERVICES["nabd-api"]["environment"]


def test_setting_that_is_handed_on_empty_is_as_if_it_were_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.setenv(f"NABD_{name.upper()}", "")

    assert Settings() == Settings.model_construct()


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "ports" in service])
def test_port_is_open_on_loopback_only_unless_said_otherwise(name: str) -> None:
    for port in SERVICES[name]["ports"]:
        assert re.fullmatch(r"\$\{\w+:-127\.0\.0\.1:\d+\}:\d+", port)


def test_only_the_devices_door_of_the_broker_is_published_and_ingest_has_one_of_its_own() -> None:
    published = {port.rpartition(":")[2] for port in SERVICES["mosquitto"]["ports"]}
    account = r"mqtt://(.+?):.+@mosquitto:(\d+)"
    brokers = [
        s["environment"]["NABD_BROKER"]
        for s in SERVICES.values()
        if "NABD_BROKER" in s.get("environment", {})
    ]
    doors = {found[1]: found[2] for broker in brokers if (found := re.fullmatch(account, broker))}

    assert published == {"1883"}
    assert doors == {"~ingest": "1885", "~api": "1884", "~simulator": "1884"}


def test_every_mounted_file_exists() -> None:
    volumes = [v for service in SERVICES.values() for v in service.get("volumes", [])]
    mounted = [v.split(":")[0] for v in volumes if v.startswith("./")]

    assert mounted
    for path in mounted:
        assert (ROOT / path).exists(), path


def test_every_named_volume_is_declared() -> None:
    volumes = [v.split(":")[0] for service in SERVICES.values() for v in service.get("volumes", [])]

    assert {v for v in volumes if not v.startswith("./")} == set(COMPOSE["volumes"])


def test_every_lasting_service_restarts_and_has_a_health_check() -> None:
    for name, service in SERVICES.items():
        if name in ONE_SHOT:
            assert service["restart"] == "no"
        else:
            assert service["restart"] == "unless-stopped", name
            assert "healthcheck" in service or "profiles" in service, name


def test_every_process_of_ours_has_a_database_and_writes_where_it_may() -> None:
    ours = {name: service for name, service in SERVICES.items() if service["image"].startswith("nabd:")}

    assert len(ours) == 6
    for name, service in ours.items():
        assert "NABD_DATABASE" in service["environment"], name
        assert (service["read_only"], service["tmpfs"]) == (True, ["/tmp"])
    command = SERVICES["simulator"]["command"]
    assert command[command.index("--logs") + 1].startswith("/tmp/")


def test_images_are_pinned() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":\d+\.\d+\.\d+", service["image"]), name


def test_image_copies_every_package_and_only_what_the_build_may_see() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    packages = re.findall(r'"(\w+)\*"', pyproject)

    copied = {
        name
        for line in re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile, re.MULTILINE)
        for name in line.split()
    }

    assert packages
    assert copied == set(allowed)
    assert copied >= set(packages)
