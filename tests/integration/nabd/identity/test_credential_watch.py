"""What `nabd sweep` hands to the broker while something is wrong with a certificate."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from cryptography import x509
from structlog.testing import capture_logs

from devices.credentials import issuing
from devices.credentials.credential import IssuedCertificate
from nabd import clock
from nabd.identity import tls_files
from nabd.identity.follower import CredentialWatch
from store.audit import PLATFORM
from tests.integration.devices.town import KINDS, add_bin, add_town


@pytest.mark.parametrize("broken", ["server.pem", "authority.pem", "authority.key"])
async def test_what_is_taken_back_reaches_the_broker_whatever_is_wrong_with_tls(
    pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path, broken: str
) -> None:
    await add_town(connection)
    await add_bin(connection, "BIN-1")
    today = datetime.now(UTC)
    one = IssuedCertificate(
        device="BIN-1",
        username="BIN-1",
        serial="1a",
        fingerprint="1a" * 32,
        not_after=today.replace(year=2100),
    )
    await issuing.rotate_passwords(
        connection, KINDS, ["BIN-1"], now=clock.wall, by=PLATFORM, random=secrets.token_bytes
    )
    await issuing.add_certificates(connection, KINDS, [one], now=clock.wall, by=PLATFORM)
    tls, incoming = tmp_path / "tls", tmp_path / "incoming"
    tls_files.init(tls, ["localhost"], today)
    watch = CredentialWatch(pool=pool, directory=incoming, tls_dir=tls, broker=None, now=clock.wall)
    await watch.follow()
    assert b"BIN-1" in (incoming / "passwords").read_bytes()

    whole = (tls / broken).read_bytes()
    (tls / broken).write_bytes(b"junk")
    await issuing.revoke(connection, ["BIN-1"], now=clock.wall, by=PLATFORM)
    with capture_logs() as said:
        await watch.follow()
        await watch.follow()

    for name in ("passwords", "passwords.next"):
        assert (incoming / name).read_bytes() == b"# nabd: 0 devices\n"
    revoked = x509.load_pem_x509_crl((incoming / "crl.pem").read_bytes())
    assert len(revoked) == (1 if broken == "server.pem" else 0)
    (warned,) = [line for line in said if line["log_level"] == "warning"]
    assert broken.partition(".")[0] in warned["error"]

    (tls / broken).write_bytes(whole)
    await watch.follow()
    assert len(x509.load_pem_x509_crl((incoming / "crl.pem").read_bytes())) == 1
