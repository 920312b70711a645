"""docker-compose.yml: valid, without default secrets, closed but for TLS, true to the repository."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nabd.accounts.grants import Account
from nabd.backup.files import directories
from nabd.configuration.secrets import GIVEN, RANDOM
from nabd.settings import Settings, backup_directory

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("nabd:")}
ONE_SHOT = {
    "tls",
    "nabd-accounts",
    "nabd-migrate",
    "nabd-owner",
    "nabd-tools",
    "nabd-backup",
    "grafana-account",
}
ROOTS = {"database", "mosquitto"}
"""Services whose programs begin as root and give that up themselves."""


def secrets_of(service: dict[str, Any]) -> dict[str, str]:
    """Return the secrets of a service: where each stands in it, and which it is."""
    found = [s if isinstance(s, dict) else {"source": s, "target": s} for s in service.get("secrets", [])]
    return {one["target"]: one["source"] for one in found}


def environment_of(service: dict[str, Any], name: str) -> str:
    """Return a variable of a service; "": it is not there."""
    return str(service.get("environment", {}).get(name, ""))


def test_compose_file_is_valid() -> None:
    # The Compose Specification's own schema, Apache-2.0; see schemas.md beside it.
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_secrets_are_files_that_init_writes_and_only_who_needs_one_has_it() -> None:
    given = {source for service in SERVICES.values() for source in secrets_of(service).values()}
    superusers = {n for n, s in SERVICES.items() if "database-superuser" in secrets_of(s).values()}

    assert {name: one["file"] for name, one in COMPOSE["secrets"].items()} == {
        name: f"secrets/{name}" for name in (*RANDOM, *GIVEN)
    }
    assert given == set(COMPOSE["secrets"])
    assert superusers == {"database", "nabd-accounts", "grafana-account"}
    assert not re.search(r"PASSWORD: |TOKEN: |:[^/@\s]+@", TEXT), "no secret stands in an environment"


def test_every_process_signs_in_as_itself_with_a_password_from_a_file() -> None:
    accounts = {
        name: (match[1], secrets_of(service).get("NABD_DATABASE_PASSWORD"))
        for name, service in OURS.items()
        if (
            match := re.match(r"postgresql://(\w+)@", service.get("environment", {}).get("NABD_DATABASE", ""))
        )
    }

    assert accounts == {
        "nabd-accounts": ("nabd", "database-superuser"),
        "nabd-migrate": (Account.OWNER.role, "database-owner"),
        "nabd-owner": (Account.OWNER.role, "database-owner"),
        "nabd-backup": (Account.OWNER.role, "database-owner"),
        **{
            f"nabd-{one}": (one.role, f"database-{one}")
            for one in (
                Account.INGEST,
                Account.SWEEP,
                Account.NOTIFY,
                Account.BRIDGE,
                Account.API,
                Account.ANNOTATE,
            )
        },
        **dict.fromkeys(("simulator", "nabd-tools"), (Account.API.role, "database-api")),
    }


def test_every_setting_reaches_every_process_from_one_file() -> None:
    settings = {f"NABD_{name.upper()}" for name in Settings.model_fields}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    offered = set(re.findall(r"^#?(NABD_[A-Z_]+)=", example, re.MULTILINE))
    said = {
        name
        for service in OURS.values()
        for name in (*service.get("environment", {}), *secrets_of(service))
        if name.startswith("NABD_")
    }

    for name, service in OURS.items():
        assert service["configs"] == [{"source": "settings", "target": "/etc/nabd/nabd.env"}], name
    assert COMPOSE["configs"] == {"settings": {"file": ".env"}}
    assert settings - {"NABD_CLOCK", "NABD_DATA_DIR"} == (offered | said) & settings
    assert said - settings == {"NABD_GRAFANA_TOKEN"}


def test_example_environment_names_every_variable_of_the_compose_file() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    used = set(re.findall(r"\$\{(\w+)", TEXT))
    offered = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))

    assert used <= offered


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


def test_only_doors_with_tls_are_published_and_ingest_has_one_of_its_own() -> None:
    published = {port.rpartition(":")[2] for port in SERVICES["mosquitto"]["ports"]}
    account = r"mqtt://(.+?)@mosquitto:(\d+)"
    brokers = {
        name: re.fullmatch(account, service["environment"]["NABD_BROKER"])
        for name, service in OURS.items()
        if "NABD_BROKER" in service.get("environment", {})
    }

    assert published == {"8883", "8884", "8885"}
    assert SERVICES["mosquitto"]["environment"]["MQTT_DEVICES_DOOR"].startswith("127.0.0.1:")
    assert {name: found.groups() for name, found in brokers.items() if found} == {
        "nabd-ingest": ("~ingest", "1885"),
        "nabd-owner": ("~ingest", "1885"),
        "nabd-sweep": ("~api", "1884"),
        "nabd-api": ("~api", "1884"),
        "nabd-bridge": ("~bridge", "1884"),
        "nabd-tools": ("~api", "1884"),
        "simulator": ("~simulator", "1884"),
    }


def test_who_need_not_speak_with_each_other_cannot() -> None:
    on = {
        network: {name for name, s in SERVICES.items() if network in s.get("networks", [])}
        for network in COMPOSE["networks"]
    }
    closed = {name for name, one in COMPOSE["networks"].items() if one and one.get("internal")}

    assert closed == {"web", "broker", "database"}
    assert on["edge"] == {name for name, service in SERVICES.items() if "ports" in service}
    assert on["web"] == {"https", "nabd-api"}
    assert not on["database"] & {"https", "mosquitto"}
    assert on["outside"] == {"nabd-api", "nabd-notify", "nabd-sweep", "nabd-annotate", "nabd-bridge"}


def test_every_mounted_file_exists() -> None:
    volumes = [v for service in SERVICES.values() for v in service.get("volumes", [])]
    mounted = [v.split(":")[0] for v in volumes if v.startswith("./")]

    assert mounted
    for path in mounted:
        assert (ROOT / path).exists(), path


def test_every_named_volume_is_declared() -> None:
    volumes = [v.split(":")[0] for service in SERVICES.values() for v in service.get("volumes", [])]

    assert {v for v in volumes if not v.startswith("./")} == set(COMPOSE["volumes"])


def test_key_of_the_authority_is_only_where_somebody_signs() -> None:
    mounts = {
        name: [v.split(":") for v in service.get("volumes", []) if v.startswith("tls:")]
        for name, service in SERVICES.items()
    }

    assert {name for name, found in mounts.items() if found} == {
        "tls",
        "nabd-sweep",
        "nabd-tools",
        "nabd-backup",
    }
    assert mounts["nabd-tools"] == mounts["nabd-backup"] == [["tls", "/var/lib/nabd/tls", "ro"]]
    for name in ("https", "nabd-api"):
        assert any(v.startswith("broker-files:") and v.endswith(":ro") for v in SERVICES[name]["volumes"])


def test_backup_sees_all_that_lies_beside_the_database_and_changes_none_of_it() -> None:
    data = Path("/var/lib/nabd")
    volumes = [v.split(":") for v in SERVICES["nabd-backup"]["volumes"]]
    mounted = {place: how == ["ro"] for _, place, *how in volumes}

    needed = {str(path): True for path in directories(Settings(data_dir=data)).values()}
    assert mounted == {**needed, str(backup_directory(Settings(data_dir=data))): False}


def test_every_lasting_service_restarts_and_has_a_health_check() -> None:
    for name, service in SERVICES.items():
        if name in ONE_SHOT:
            assert service["restart"] == "no"
        else:
            assert service["restart"] == "unless-stopped", name
            assert "healthcheck" in service or "profiles" in service, name


def test_every_service_is_confined() -> None:
    assert len(OURS) == 13
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"\d+[gm]", service["mem_limit"]), name
        if name == "nabd-tools":
            assert service["cap_add"] == ["CHOWN", "DAC_OVERRIDE"]
        elif name not in ROOTS:
            assert service.get("cap_add", []) in ([], ["NET_BIND_SERVICE", "DAC_OVERRIDE"]), name
        if name != "database":
            assert service["read_only"], name
            assert "/tmp" in service["tmpfs"], name
    command = SERVICES["simulator"]["command"]
    assert command[command.index("--logs") + 1].startswith("/tmp/")


def test_images_are_of_exact_versions() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":\d+\.\d+\.\d+", service["image"]), name


DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("answers", "expected"),
    [(DIGEST, 0), ("latest", 1), ("", 1)],
)
def test_digests_are_those_that_docker_tells_or_none(tmp_path: Path, answers: str, expected: int) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    script = tmp_path / "scripts/pin-images"
    script.write_bytes((ROOT / "scripts/pin-images").read_bytes())
    (tmp_path / "docker-compose.yml").write_text(TEXT, encoding="utf-8")
    docker = tmp_path / "bin/docker"
    docker.write_text(f"#!/bin/sh\necho '{answers}'\n")
    docker.chmod(0o755)

    done = subprocess.run(
        ["sh", str(script)], env={"PATH": f"{docker.parent}:/usr/bin:/bin"}, capture_output=True, check=False
    )

    text = (tmp_path / "docker-compose.yml").read_text(encoding="utf-8")
    pinned = [service["image"] for service in yaml.safe_load(text)["services"].values()]
    assert done.returncode == expected
    assert (text == TEXT) == bool(expected)
    assert all(i.startswith("nabd:") or i.endswith(DIGEST) for i in pinned) == (not expected)


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
