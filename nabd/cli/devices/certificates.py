"""Certificates that `nabd device rotate --certificate` signs: files for devices, numbers in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from devices.credentials import authority, issuing
from devices.credentials.authority import CertificateAuthority
from devices.credentials.credential import IssuedCertificate
from devices.instants import to_datetime
from devices.registry.errors import Invalid
from devices.registry.registry import get_device
from nabd.cli.database import OpenDatabase
from nabd.cli.output import fail
from nabd.identity import tls_files
from nabd.identity.tls_files import AUTHORITY, CertificateRefused
from nabd.settings import tls_directory


async def sign_certificates(
    opened: OpenDatabase,
    names: Sequence[str],
    out: Path,
    *,
    request: Path | None,
    days: int,
    overlap: timedelta,
) -> list[IssuedCertificate]:
    """Sign a certificate for each device and write it, its key and the authority's certificate to `out`.

    What was written for a device that is then refused signs nobody in, since nothing of it is kept.

    Raises:
        RegistryError: a device is not there or cannot have one, or files cannot be written or read.
    """
    if request is not None and len(names) != 1:
        raise Invalid("request", "a request is that of one device: name it")
    now = to_datetime(opened.now())
    try:
        signing = tls_files.signer(tls_directory(opened.settings), now)
    except CertificateRefused as error:
        fail(str(error))
    signed: list[IssuedCertificate] = []
    try:
        async with opened.connection.transaction():
            for name in names:
                username = (await get_device(opened.connection, name)).wire
                content = _signed(out, name, username, signing, now, timedelta(days=days), request)
                found = x509.load_pem_x509_certificate(content)
                signed.append(
                    IssuedCertificate(
                        device=name,
                        username=username,
                        serial=authority.serial_of(found),
                        fingerprint=authority.fingerprint_of(found),
                        not_after=found.not_valid_after_utc,
                    )
                )
            await issuing.add_certificates(
                opened.connection,
                opened.kinds,
                signed,
                overlap=overlap,
                now=opened.now,
                by=await opened.actor(),
            )
        pem = signing.certificate.public_bytes(Encoding.PEM)
        tls_files.write(out / AUTHORITY, pem, mode=0o644)
    except OSError as error:
        raise Invalid(
            "out", f"{error.filename or out} cannot be read or written: {error.strerror}"
        ) from error
    return signed


def _signed(
    out: Path,
    name: str,
    username: str,
    signing: CertificateAuthority,
    now: datetime,
    lasts: timedelta,
    request: Path | None,
) -> bytes:
    if request is not None:
        try:
            content = authority.for_request(signing, username, request.read_bytes(), now, lasts=lasts)
        except ValueError as error:
            raise Invalid("request", f"{request} is no request that can be signed: {error}") from error
    else:
        pair = authority.for_device(signing, username, now, lasts=lasts)
        tls_files.write(out / f"{name}.key", pair.key, mode=0o600)
        content = pair.certificate
    tls_files.write(out / f"{name}.pem", content, mode=0o644)
    return content
