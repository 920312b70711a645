"""The bundle of doctor helps whoever helps, and holds no secret, no person and no payload."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path

import asyncpg
import pytest

from store.pool import connect
from tests.databases import run
from tests.integration.api import builders
from tests.integration.operating.conftest import nabd

PLANTED = {
    "NABD_BROKER": "mqtt://~ingest:br0ker-pw@127.0.0.1:1",
    "NABD_OIDC_CLIENT_SECRET": "oidc-s3cret",
    "NABD_EMAIL_SERVER": "smtps://post:m%40il-pw@127.0.0.1:1",
    "NABD_EMAIL_FROM": "alerts@town.example",
    "NABD_WEBHOOK_SECRET": "whsec_" + base64.b64encode(b"webhook-secret-24-bytes!").decode(),
    "NABD_NTFY_TOKEN": "tk_ntfytoken",
    "NABD_TELEGRAM_TOKEN": "123456:telegramtoken",
    "NABD_SMS_URL": "https://sms.example/s3nd-path-token?key=sms-query-key",
    "NABD_SMS_HEADERS": '{"Authorization": "Bearer sms-header-token"}',
    "NABD_APPRISE": '{"whatsapp": "whatsapp://apprise-token@1/{to}"}',
    "NABD_BACKUP_KEY": "/srv/the-key-file-of-backups",
}
SECRETS = (
    "br0ker-pw", "oidc-s3cret", "m%40il-pw", "m@il-pw", "alerts@town.example", "whsec_", "tk_ntfytoken",
    "telegramtoken", "s3nd-path-token", "sms-query-key", "sms-header-token", "apprise-token",
    "the-key-file-of-backups", "db-pw", '"fill_pct": 12', "bin-9", "sami@town.example", "+961 71 234 567",
)  # fmt: skip


async def _live(dsn: str) -> None:
    connection: asyncpg.Connection = await connect(dsn)
    await builders.add(connection, "bin-1")
    await builders.reject(connection, "bin-9")
    # What a service answers may repeat what it was asked with.
    await connection.execute(
        "INSERT INTO rule (id, version, kind, definition, created_at, family, broken_reason, broken_at,"
        " active) VALUES ('r', 1, 'bin', '{}', now(), 'stream', $1, now(), true)",
        "401 for 123456:telegramtoken, sami@town.example at +961 71 234 567, Bearer sms-header-token",
    )
    await connection.close()


@pytest.fixture
def bundle(dsn: str, tmp_path: Path) -> Path:
    run(_live(dsn))
    file = tmp_path / "nabd.zip"
    database = dsn.replace("postgres@", "postgres:db-pw@", 1)
    done = nabd(
        {**PLANTED, "NABD_DATABASE": database, "NABD_DATA_DIR": str(tmp_path)}, "doctor", "--bundle", file
    )
    assert "look through it before you send it" in done.stdout, done.stderr
    return file


def test_no_planted_secret_is_in_the_bundle(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as members:
        texts = {name: members.read(name).decode() for name in members.namelist()}

    found = [(secret, name) for secret in SECRETS for name, text in texts.items() if secret in text]

    assert found == []
    assert "[hidden] for" not in texts["doctor.json"]
    assert "401 for [hidden], [hidden] at [hidden]" in texts["doctor.json"]


def test_bundle_says_what_an_installation_is(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as members:
        read = {name: members.read(name).decode() for name in members.namelist()}
        settings = json.loads(read["settings.json"])

        assert set(read) == {
            "about.json", "settings.json", "versions.json", "doctor.json", "metrics.txt", "server.json",
            "migrations.json", "rejections.json",
        }  # fmt: skip
        assert settings["NABD_BROKER"] == {"value": "mqtt://~ingest@127.0.0.1:1", "set": True}
        assert settings["NABD_RETENTION_DAYS"] == {"value": 90, "set": False}
        assert settings["NABD_TELEGRAM_TOKEN"]["value"] == "[hidden]"
        assert json.loads(read["migrations.json"])[0]["name"] == "registry"
        assert [one["messages"] for one in json.loads(read["rejections.json"])] == [1]
        assert {one["code"] for one in json.loads(read["doctor.json"])} >= {"N101", "N301", "N401"}
        assert "nabd_rules_broken 1" in read["metrics.txt"]


def test_bundle_overwrites_nothing_and_needs_no_database(bundle: Path, tmp_path: Path) -> None:
    again = nabd({"NABD_DATA_DIR": str(tmp_path)}, "doctor", "--bundle", bundle)
    assert (again.exit_code, "cannot be written: File exists; name another" in again.stderr) == (1, True)

    alone = tmp_path / "alone.zip"
    nabd(
        {"NABD_DATABASE": "postgresql://127.0.0.1:1/x", "NABD_DATA_DIR": str(tmp_path)},
        "doctor",
        "--bundle",
        alone,
    )
    with zipfile.ZipFile(alone) as members:
        assert "doctor.json" in members.namelist()
        assert "migrations.json" not in members.namelist()
