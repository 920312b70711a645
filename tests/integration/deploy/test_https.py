"""HTTPS as it is deployed shows the certificate of today, not that of its start; `nabd doctor` sees which."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from nabd.doctor.check import Verdict
from nabd.doctor.identity import https
from nabd.embedded.broker import free_port
from nabd.identity import tls_files
from nabd.settings import Settings
from tests.parts import CADDY, missing

START = Path(__file__).parents[3] / "deploy/caddy/start"
WITHIN_S = 30.0


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Caddy by the deployed script, with a certificate that was made 390 days ago."""
    if shutil.which("caddy") is None:
        missing(CADDY)
    tls_files.init(tmp_path, ["localhost"], datetime.now(UTC) - timedelta(days=390))
    found = free_port()
    environment = {
        "NABD_CADDYFILE": str(START.with_name("Caddyfile")),
        "NABD_TLS": str(tmp_path),
        "NABD_TLS_EVERY": "0.2",
        "NABD_DOMAIN": f"localhost:{found}",
        "NABD_HTTP_REDIRECT": str(free_port()),
        "NABD_HTTPS_ADMIN": f"localhost:{free_port()}",
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    with (tmp_path / "caddy.log").open("wb") as log:
        caddy = subprocess.Popen([START], env=environment, stdout=log, stderr=log, start_new_session=True)
    yield found
    os.killpg(caddy.pid, signal.SIGTERM)
    caddy.wait()


def serial_at(port: int) -> int:
    shown = ssl.get_server_certificate(("localhost", port), timeout=5)
    return x509.load_pem_x509_certificate(shown.encode()).serial_number


def serial_of(file: Path) -> int:
    return x509.load_pem_x509_certificate(file.read_bytes()).serial_number


def shown_within(port: int, serial: int) -> bool:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        try:
            if serial_at(port) == serial:
                return True
        except OSError:
            pass  # it is not up yet
        time.sleep(0.1)
    return False


def test_https_shows_a_renewed_certificate_without_a_restart(tmp_path: Path, port: int) -> None:
    settings = Settings(tls_dir=tmp_path, public_url=f"https://localhost:{port}")
    now = datetime.now(UTC)
    assert shown_within(port, serial_of(tmp_path / "server.pem")), (tmp_path / "caddy.log").read_text()
    ending = https.check(settings, now)

    tls_files.renew(tmp_path, now)

    assert shown_within(port, serial_of(tmp_path / "server.pem")), (tmp_path / "caddy.log").read_text()
    assert ending is not None
    assert (ending.verdict, "ends in 6 days" in ending.said) == (Verdict.BAD, True), ending
    renewed = https.check(settings, now)
    assert renewed is not None
    assert renewed.verdict is Verdict.FINE, renewed


def test_a_port_that_shows_another_than_ours_or_nothing_is_told(tmp_path: Path, port: int) -> None:
    assert shown_within(port, serial_of(tmp_path / "server.pem")), (tmp_path / "caddy.log").read_text()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("authority.pem", "authority.key", "server.pem"):
        shutil.copy(tmp_path / name, elsewhere)
    now = datetime.now(UTC)
    tls_files.renew(elsewhere, now - timedelta(days=1))
    address = f"https://localhost:{port}"

    older = https.check(Settings(tls_dir=elsewhere, public_url=address), now - timedelta(days=60))
    silent = https.check(Settings(public_url=f"https://localhost:{free_port()}"), now)

    assert older is not None
    assert (older.verdict, "is not server.pem" in older.said) == (Verdict.BAD, True), older
    assert silent is not None
    assert silent.verdict is Verdict.NOTE, silent
    assert https.check(Settings(public_url="http://localhost:1"), now) is None
