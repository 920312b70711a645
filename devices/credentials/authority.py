"""A certificate authority of one's own: itself, what it signs for servers and devices, what it takes back.

Pure: instants are arguments; keys are random. X.509 by `cryptography`, keys on P-256, which small devices can
use. Must not know the database, nor where files lie.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_FOR = timedelta(days=3652)
SERVER_FOR = timedelta(days=397)
"""As long as browsers and many libraries accept."""
DEVICE_FOR = timedelta(days=730)
REVOCATIONS_FOR = timedelta(days=30)
"""A list that is older makes the broker refuse every certificate."""
HOST_NAME = re.compile(r"(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9-]{1,63}")
SLACK = timedelta(hours=1)
"""By how much a device's clock may run behind ours when it meets a new certificate."""


class NoAuthority(ValueError):
    """What is to be an authority is none; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateAuthority:
    """Who signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedCertificate:
    """One entry of the list of revocations; serial in hexadecimal digits."""

    serial: str
    since: datetime


def new_authority(name: str, now: datetime) -> KeyPair:
    """Return a new authority that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    builder = (
        _begun(subject, subject, key.public_key(), now, AUTHORITY_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def load(certificate: bytes, key: bytes, now: datetime) -> CertificateAuthority:
    """Read an authority.

    Raises:
        NoAuthority: it is no certificate of an authority, is over, or the key is not its own.
    """
    try:
        found = x509.load_pem_x509_certificate(certificate)
        loaded: PrivateKeyTypes = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise NoAuthority(f"certificate or key cannot be read ({error}): PEM without a passphrase") from error
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise NoAuthority(
            "the key is not of an elliptic curve: make one with `openssl ecparam -name prime256v1`"
        )
    if found.public_key() != loaded.public_key():
        raise NoAuthority("the key is not that of the certificate: give both of one authority")
    if not may_sign(found):
        raise NoAuthority(
            "the certificate is not that of an authority (CA:TRUE): take one that may sign others"
        )
    if found.not_valid_after_utc <= now:
        raise NoAuthority(f"the authority is over since {found.not_valid_after_utc:%Y-%m-%d}: renew it first")
    return CertificateAuthority(certificate=found, key=loaded)


def may_sign(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is that of an authority."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def for_server(
    authority: CertificateAuthority, hosts: Sequence[str], now: datetime, *, lasts: timedelta = SERVER_FOR
) -> KeyPair:
    """Return a certificate for a server of these host names and addresses, the first of which names it."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([_host(one) for one in hosts])
    builder = _signed_by(authority, _named(hosts[0]), key.public_key(), now, lasts)
    builder = builder.add_extension(names, critical=False).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    return _pair(builder.sign(authority.key, hashes.SHA256()), key)


def for_device(
    authority: CertificateAuthority, username: str, now: datetime, *, lasts: timedelta = DEVICE_FOR
) -> KeyPair:
    """Return a certificate with a new key by which a device signs in under this name."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _pair(_for_device(authority, username, key.public_key(), now, lasts), key)


def for_request(
    authority: CertificateAuthority,
    username: str,
    request: bytes,
    now: datetime,
    *,
    lasts: timedelta = DEVICE_FOR,
) -> bytes:
    """Return a certificate (PEM) for the key of a request (PEM), which the device keeps to itself.

    The name is ours to give: what the request calls itself does not count.

    Raises:
        ValueError: it is no request, or not signed by its own key.
    """
    asked = x509.load_pem_x509_csr(request)
    if not asked.is_signature_valid:
        raise ValueError("the request is not signed by its own key")
    signed = _for_device(authority, username, asked.public_key(), now, lasts)
    return signed.public_bytes(serialization.Encoding.PEM)


def revocations(
    authority: CertificateAuthority, revoked: Iterable[RevokedCertificate], now: datetime
) -> bytes:
    """Return the list of what the authority takes back (a CRL, PEM), good for REVOCATIONS_FOR."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - SLACK)
        .next_update(now + REVOCATIONS_FOR)
        .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.certificate.public_key()),  # type: ignore[arg-type]  # an elliptic curve's, as `load` checks
            critical=False,
        )
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(int(one.serial, 16)).revocation_date(one.since)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def serial_of(certificate: x509.Certificate) -> str:
    """Return a certificate's serial number in hexadecimal digits."""
    return f"{certificate.serial_number:x}"


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return a certificate's SHA-256 fingerprint in hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def spelt(fingerprint: str) -> str:
    """Return a fingerprint as phones show it: AB:CD:…"""
    return ":".join(fingerprint[n : n + 2] for n in range(0, len(fingerprint), 2)).upper()


def is_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Tell whether an authority has signed a certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _for_device(
    authority: CertificateAuthority,
    username: str,
    key: CertificatePublicKeyTypes,
    now: datetime,
    lasts: timedelta,
) -> x509.Certificate:
    builder = _signed_by(authority, _named(username), key, now, lasts).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
    )
    return builder.sign(authority.key, hashes.SHA256())


def _signed_by(
    authority: CertificateAuthority,
    subject: x509.Name,
    key: CertificatePublicKeyTypes,
    now: datetime,
    lasts: timedelta,
) -> x509.CertificateBuilder:
    lasts = min(lasts, authority.certificate.not_valid_after_utc - now)
    return (
        _begun(subject, authority.certificate.subject, key, now, lasts)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
        )
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + lasts)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not HOST_NAME.fullmatch(host):
            raise ValueError(f"{host!r} is neither a host name nor an address") from None
        return x509.DNSName(host)


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    return KeyPair(
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
