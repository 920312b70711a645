"""Passwords of devices as mosquitto keeps them, and the certificates of an authority of one's own."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from devices.credentials import authority, scheme
from devices.credentials.authority import NoAuthority, RevokedCertificate

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_password_verifies_against_what_is_kept_of_it_and_no_other_does() -> None:
    password = scheme.new_password(secrets.token_bytes)
    kept = scheme.hashed(password, secrets.token_bytes)

    assert kept.startswith("$7$1$")
    assert len(password) == 32
    assert password not in kept
    assert scheme.verify(password, kept)
    assert not scheme.verify(password.lower(), kept)
    assert scheme.hashed(password, secrets.token_bytes) != kept, "each has a salt of its own"


@pytest.mark.parametrize(
    "kept", ["", "plain", "$6$salt$hash", "$7$0$AAAA$AAAA", "$7$x$AAAA$AAAA", "$7$1$!$!"]
)
def test_nothing_verifies_against_what_is_not_of_the_scheme(kept: str) -> None:
    assert not scheme.verify("", kept)


def test_password_of_mosquitto_passwd_verifies() -> None:
    kept = (
        "$7$101$WXBwvprEV6couQrv$7ZOd8IlJC7pDJQXiGMCWyszOE44dG5iltEMozvMt7A5KcQ6BnV+qj91REcxpI9Sy"
        "x4sESkQzxW00Wkh3zuIYsA=="
    )

    assert scheme.verify("secret", kept)


def test_authority_signs_servers_devices_and_requests_and_takes_them_back() -> None:
    pair = authority.new_authority("Tripoli", NOW)
    signing = authority.load(pair.certificate, pair.key, NOW)
    server = x509.load_pem_x509_certificate(
        authority.for_server(signing, ["broker.example", "10.0.0.7"], NOW).certificate
    )
    device = x509.load_pem_x509_certificate(authority.for_device(signing, "urn:dev:1", NOW).certificate)
    listed = x509.load_pem_x509_crl(
        authority.revocations(
            signing, [RevokedCertificate(serial=authority.serial_of(device), since=NOW)], NOW
        )
    )

    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.example"]
    assert device.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "urn:dev:1"
    assert all(authority.is_signed_by(one, signing.certificate) for one in (server, device))
    assert listed.get_revoked_certificate_by_serial_number(device.serial_number) is not None
    assert listed.get_revoked_certificate_by_serial_number(server.serial_number) is None
    assert listed.is_signature_valid(signing.key.public_key())


def test_what_is_no_authority_is_refused_with_the_reason() -> None:
    pair = authority.new_authority("Tripoli", NOW)
    signing = authority.load(pair.certificate, pair.key, NOW)
    other = authority.new_authority("Saida", NOW)
    device = authority.for_device(signing, "BIN-1", NOW)

    for certificate, key, now, why in (
        (b"junk", pair.key, NOW, "cannot be read"),
        (pair.certificate, other.key, NOW, "not that of the certificate"),
        (device.certificate, device.key, NOW, "CA:TRUE"),
        (pair.certificate, pair.key, NOW + timedelta(days=4000), "is over since"),
    ):
        with pytest.raises(NoAuthority, match=why):
            authority.load(certificate, key, now)
