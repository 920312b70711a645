"""`nabd tls`: an authority, a server's certificate, renewal; and each mistake with its fix."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from devices.credentials import authority
from devices.credentials.authority import spelt
from nabd.cli import app
from nabd.identity import tls_files
from nabd.identity.tls_files import CertificateRefused


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "tls"
    monkeypatch.setenv("NABD_TLS_DIR", str(directory))
    return directory


def nabd(line: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["tls", *line.split()])
    return result.exit_code, result.stdout, result.stderr


def test_init_makes_what_show_shows_and_renew_signs_anew_for_the_same_names(tls: Path) -> None:
    assert "nabd tls init" in nabd("show")[1]
    code, out, err = nabd("init --host broker.example --host 10.0.0.7 --json")

    assert code == 0, err
    documents = {one["file"]: one for one in map(json.loads, out.splitlines())}
    assert documents.keys() == {"authority.pem", "server.pem", "crl.pem"}
    assert documents["server.pem"]["subject"] == "broker.example, 10.0.0.7"
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tls.iterdir()}
    assert {modes["authority.key"], modes["server.key"]} == {0o600}
    before = x509.load_pem_x509_certificate((tls / "server.pem").read_bytes())
    assert nabd("renew")[0] == 0
    after = x509.load_pem_x509_certificate((tls / "server.pem").read_bytes())
    assert before.serial_number != after.serial_number
    assert before.subject == after.subject
    shown = nabd("show")[1]
    assert "broker.example, 10.0.0.7" in shown
    assert spelt(documents["authority.pem"]["fingerprint"]) in shown.replace("\n", "")


def test_each_mistake_is_one_line_with_the_fix_and_leaves_nothing_half_made(
    tls: Path, tmp_path: Path
) -> None:
    junk = tmp_path / "junk"
    junk.write_text("junk", encoding="utf-8")
    (tmp_path / "file").touch()

    for line, said in (
        ("init", "--host"),
        ("init --host *..", "neither a host name nor"),
        (f"init --host a --authority {junk} --authority-key {junk}", "cannot be read"),
        (f"init --host a --authority {tmp_path}/none --authority-key {junk}", "cannot be read"),
        ("renew", "nabd tls init"),
    ):
        code, _, err = nabd(line)
        assert (code, err.count("\n")) == (1, 1), (line, err)
        assert said in err, line
    assert not tls.exists()
    assert nabd("init --host a --authority x")[0] == 2

    assert nabd("init --host a")[0] == 0
    assert "has an authority already" in nabd("init --host a")[2]
    (tls / "server.pem").write_text("junk", encoding="utf-8")
    assert "cannot be read as a certificate" in nabd("show")[2]


def test_certificates_are_renewed_when_they_near_their_end_and_only_where_they_are_ours(
    tmp_path: Path,
) -> None:
    now = datetime.now(UTC)
    tls_files.init(tmp_path, ["broker.example"], now)
    late = now + authority.SERVER_FOR - timedelta(days=10)

    assert not tls_files.renew_if_due(tmp_path, now)
    assert tls_files.renew_if_due(tmp_path, late)
    assert not tls_files.renew_if_due(tmp_path, late)
    signing = tls_files.signer(tmp_path, now)
    assert not tls_files.revocations(tmp_path, [], signing, now)
    assert tls_files.revocations(tmp_path, [], signing, now + timedelta(days=20))

    other = authority.new_authority("Elsewhere", now)
    foreign = authority.for_server(authority.load(other.certificate, other.key, now), ["a"], now)
    (tmp_path / "server.pem").write_bytes(foreign.certificate)
    assert not tls_files.renew_if_due(tmp_path, late)
    with pytest.raises(CertificateRefused, match="not signed by our authority"):
        tls_files.renew(tmp_path, now)
    given = tmp_path / "given"
    tls_files.init(given, ["a"], now, given=other)
    assert (given / "authority.pem").read_bytes() == other.certificate


def test_half_an_authority_is_named_and_an_authority_under_another_is_refused(
    tls: Path, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    tls.mkdir()
    (tls / "authority.pem").write_text("half", encoding="utf-8")
    code, _, err = nabd("init --host a")
    assert (code, f"{tls}/authority.pem is there without authority.key" in err) == (1, True), err
    (tls / "authority.pem").unlink()

    above = authority.load(*_parts(authority.new_authority("Above", now)), now)
    key = ec.generate_private_key(ec.SECP256R1())
    below = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Below")]))
        .issuer_name(above.certificate.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(above.key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "below.pem").write_bytes(below.public_bytes(pem))
    (tmp_path / "below.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    code, _, err = nabd(
        f"init --host a --authority {tmp_path}/below.pem --authority-key {tmp_path}/below.key"
    )
    assert (code, "give one that signs itself" in err) == (1, True), err
    assert list(tls.iterdir()) == []
    assert nabd("init --host a")[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_what_root_writes_is_whose_the_directory_is(tls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(tls.parent, 65534, 65533)
    monkeypatch.setenv("NABD_BROKER_FILES", str(tls.parent / "broker"))

    assert nabd("init --host a")[0] == 0
    assert nabd("renew")[0] == 0

    made = [tls, tls.parent / "broker", *tls.iterdir(), *(tls.parent / "broker").iterdir()]
    assert len(made) == 11
    assert {(one.stat().st_uid, one.stat().st_gid) for one in made} == {(65534, 65533)}


def _parts(pair: authority.KeyPair) -> tuple[bytes, bytes]:
    return pair.certificate, pair.key
