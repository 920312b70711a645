"""`nabd doctor` finds certificates that near their end, and what the broker did not take."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nabd.doctor.check import Verdict
from nabd.doctor.identity import certificates
from nabd.identity import broker_directory, tls_files
from nabd.settings import Settings

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def found(settings: Settings, now: datetime = NOW) -> dict[str, tuple[Verdict, str]]:
    return {one.subject: (one.verdict, f"{one.said} {one.fix}") for one in certificates.check(settings, now)}


@pytest.mark.parametrize(
    ("days", "verdict", "said"),
    [
        (1, Verdict.FINE, "the first of 3 to end is crl.pem"),
        (
            24,
            Verdict.BAD,
            "crl.pem (0 certificates) ends in 6 days; then the broker refuses every certificate",
        ),
        (40, Verdict.BAD, "crl.pem (0 certificates) is over since"),
    ],
)
def test_list_of_revocations_near_its_end_is_found(
    tmp_path: Path, days: int, verdict: Verdict, said: str
) -> None:
    tls_files.init(tmp_path, ["broker.example"], NOW)

    told = found(Settings(tls_dir=tmp_path), NOW + timedelta(days=days))["certificates"]

    assert told[0] is verdict
    assert said in told[1]


def test_server_and_authority_near_their_end_are_found_and_what_cannot_be_read(tmp_path: Path) -> None:
    settings = Settings(tls_dir=tmp_path)
    tls_files.init(tmp_path, ["broker.example"], NOW)
    late = NOW + timedelta(days=390)
    tls_files.revocations(tmp_path, [], tls_files.signer(tmp_path, late), late)
    assert "server.pem (broker.example) ends in 7 days" in found(settings, late)["certificates"][1]
    much_later = NOW + timedelta(days=3600)
    assert "authority.pem" in found(settings, much_later)["certificates"][1]
    (tmp_path / "server.pem").write_text("junk", encoding="utf-8")
    assert found(settings)["certificates"][0] is Verdict.BAD
    assert found(Settings(tls_dir=tmp_path / "none")) == {}


def test_what_the_broker_did_not_take_is_found(tmp_path: Path) -> None:
    settings = Settings(tls_dir=tmp_path / "none", broker_files=tmp_path)
    assert "nabd sweep" in found(settings)["broker files"][1]
    (tmp_path / "crl.pem").write_bytes(b"list")
    assert "no watcher takes" in found(settings)["broker files"][1]
    digest = broker_directory.digest(b"list")
    (tmp_path / "applied").write_text(f"{digest}  crl.pem taken\n", encoding="utf-8")
    os.utime(tmp_path / "crl.pem", (NOW.timestamp() - 90, NOW.timestamp() - 90))
    assert found(settings)["broker files"] == (Verdict.FINE, "the broker goes by the one there is ")
    (tmp_path / "applied").write_text(f"{digest}  crl.pem refused it is cut\n", encoding="utf-8")
    assert "without crl.pem: refused it is cut" in found(settings)["broker files"][1]
    (tmp_path / "applied").write_text(f"{'0' * 64}  crl.pem taken\n", encoding="utf-8")
    assert "crl.pem is there for 90 s and is not taken" in found(settings)["broker files"][1]
