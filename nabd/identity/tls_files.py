"""The files of TLS: an authority of this installation, the server's certificate, the list of revocations.

`nabd tls init` makes them once, `nabd tls renew` and `nabd sweep` sign anew what comes to its end. A server's
certificate from elsewhere takes the place of ours; an authority from elsewhere signs as ours would.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from devices.credentials import authority
from devices.credentials.authority import CertificateAuthority, KeyPair, NoAuthority, RevokedCertificate

AUTHORITY, AUTHORITY_KEY = "authority.pem", "authority.key"
SERVER, SERVER_KEY = "server.pem", "server.key"
REVOCATIONS = "crl.pem"
RENEW_BEFORE = timedelta(days=30)
"""So long before its end a server's certificate is signed anew."""


class CertificateRefused(Exception):
    """Files of TLS are not as they must be; the text names the file and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFile:
    """A certificate or a list, until when it is good, and whom it is for."""

    file: str
    subject: str
    ends: datetime
    own: bool
    """Whether this installation's authority has signed it."""
    fingerprint: str | None = None
    """SHA-256 in hexadecimal digits; None of a list."""


def init(
    directory: Path,
    hosts: Sequence[str],
    now: datetime,
    *,
    name: str = "Nabd",
    given: KeyPair | None = None,
) -> None:
    """Make an authority, or take the one given, and sign a server's certificate and an empty list.

    Args:
        directory: for the files; made where it is not there.
        hosts: names and addresses by which devices reach the broker.
        name: what the authority is called.
        given: an authority from elsewhere.

    Raises:
        CertificateRefused: there is an authority already, or what is given is none.
    """
    _refuse_another(directory)
    if not hosts:
        raise CertificateRefused("name with --host by which names and addresses devices reach the broker")
    pair = given or authority.new_authority(name, now)
    signing = _loaded(pair, directory / AUTHORITY, now)
    if not authority.is_signed_by(signing.certificate, signing.certificate):
        raise CertificateRefused(
            "the authority is signed by another one, and the broker would refuse every device:"
            " give one that signs itself, or none, and Nabd makes one"
        )
    server = _for_server(signing, hosts, now)
    make_directory(directory)
    write(directory / REVOCATIONS, authority.revocations(signing, [], now), mode=0o644)
    _put_server(directory, server)
    write(directory / AUTHORITY, pair.certificate, mode=0o644)
    write(directory / AUTHORITY_KEY, pair.key, mode=0o600)


def renew(directory: Path, now: datetime, *, hosts: Sequence[str] = ()) -> None:
    """Sign the server's certificate anew, for the hosts that it names unless others are given.

    Raises:
        CertificateRefused: there is no authority, or the certificate is not ours.
    """
    signing = signer(directory, now)
    if not hosts:
        found = _certificate(directory / SERVER)
        if not authority.is_signed_by(found, signing.certificate):
            raise CertificateRefused(
                f"{directory / SERVER} is not signed by our authority: renew it where it comes from"
            )
        hosts = _hosts(found)
    _put_server(directory, _for_server(signing, hosts, now))


def renew_if_due(directory: Path, now: datetime) -> bool:
    """Sign the server's certificate anew where it is ours and nears its end; tell whether that was so."""
    if not (directory / SERVER).exists() or not (directory / AUTHORITY_KEY).exists():
        return False
    found = _certificate(directory / SERVER)
    due = found.not_valid_after_utc - now < RENEW_BEFORE
    if not due or not authority.is_signed_by(found, _certificate(directory / AUTHORITY)):
        return False
    renew(directory, now)
    return True


def signer(directory: Path, now: datetime) -> CertificateAuthority:
    """Return this installation's authority.

    Raises:
        CertificateRefused: there is none here, or it is not good.
    """
    try:
        pair = KeyPair(
            certificate=(directory / AUTHORITY).read_bytes(), key=(directory / AUTHORITY_KEY).read_bytes()
        )
    except OSError as error:
        fix = "`nabd tls init` makes one; NABD_TLS_DIR says where it is"
        raise CertificateRefused(f"there is no authority in {directory} ({error.strerror}): {fix}") from error
    return _loaded(pair, directory / AUTHORITY, now)


def revocations(
    directory: Path, revoked: Iterable[RevokedCertificate], signing: CertificateAuthority, now: datetime
) -> bool:
    """Write the list of revocations where it says something else, or is half over; tell whether it was."""
    wanted = {one.serial: one for one in revoked}
    file = directory / REVOCATIONS
    try:
        there = x509.load_pem_x509_crl(file.read_bytes())
    except (OSError, ValueError):
        there = None
    if there is not None and there.is_signature_valid(signing.key.public_key()):
        listed = {f"{one.serial_number:x}" for one in there}
        left = (there.next_update_utc or now) - now
        if listed == wanted.keys() and left > authority.REVOCATIONS_FOR / 2:
            return False
    write(file, authority.revocations(signing, wanted.values(), now), mode=0o644)
    return True


def files(directory: Path) -> list[CertificateFile]:
    """Return what is there and until when it is good.

    Raises:
        CertificateRefused: a file is there and cannot be read.
    """
    found: list[CertificateFile] = []
    own = _certificate(directory / AUTHORITY) if (directory / AUTHORITY).exists() else None
    for name in (AUTHORITY, SERVER):
        if (directory / name).exists():
            one = _certificate(directory / name)
            signed = own is not None and authority.is_signed_by(one, own)
            subject = ", ".join(_hosts(one)) or one.subject.rfc4514_string()
            found.append(
                CertificateFile(
                    file=name,
                    subject=subject,
                    ends=one.not_valid_after_utc,
                    own=signed,
                    fingerprint=authority.fingerprint_of(one),
                )
            )
    if (directory / REVOCATIONS).exists():
        try:
            crl = x509.load_pem_x509_crl((directory / REVOCATIONS).read_bytes())
        except (OSError, ValueError) as error:
            raise CertificateRefused(
                f"{directory / REVOCATIONS} cannot be read: {error}; `nabd sweep` writes it anew"
            ) from error
        ends = crl.next_update_utc
        assert ends is not None  # ours has one
        found.append(
            CertificateFile(file=REVOCATIONS, subject=f"{len(crl)} certificates", ends=ends, own=True)
        )
    return found


def make_directory(directory: Path) -> None:
    """Make a directory for such files where it is not there; as root for whoever has the one above it."""
    if not directory.is_dir():
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        above = directory.parent.stat()
        if os.geteuid() == 0:
            os.chown(directory, above.st_uid, above.st_gid)


def write(file: Path, content: bytes, *, mode: int) -> None:
    """Write a file whole or not at all, readable as `mode` says from the beginning.

    As root it is given to whoever has its directory: processes that read it are not root.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as out:
        os.fchmod(descriptor, mode)
        if os.geteuid() == 0:
            there = file.parent.stat()
            os.fchown(descriptor, there.st_uid, there.st_gid)
        out.write(content)
        out.flush()
        os.fsync(descriptor)
    beside.replace(file)


def _refuse_another(directory: Path) -> None:
    """Raise CertificateRefused where there is an authority already, or half of one."""
    there = [name for name in (AUTHORITY, AUTHORITY_KEY) if (directory / name).exists()]
    if len(there) == 2:
        fix = "`nabd tls renew --host NAME` signs the server's certificate anew"
        raise CertificateRefused(f"{directory} has an authority already, which devices trust: {fix}")
    if there:
        other = AUTHORITY_KEY if there == [AUTHORITY] else AUTHORITY
        raise CertificateRefused(
            f"{directory / there[0]} is there without {other}: put that back from a backup;"
            " where this has just been begun and no device trusts it, remove the file and try again"
        )


def _for_server(signing: CertificateAuthority, hosts: Sequence[str], now: datetime) -> KeyPair:
    try:
        return authority.for_server(signing, hosts, now)
    except ValueError as error:
        raise CertificateRefused(f"--host {' '.join(hosts)}: {error}") from error


def _put_server(directory: Path, pair: KeyPair) -> None:
    write(directory / SERVER_KEY, pair.key, mode=0o600)
    write(directory / SERVER, pair.certificate, mode=0o644)


def _loaded(pair: KeyPair, where: Path, now: datetime) -> CertificateAuthority:
    try:
        return authority.load(pair.certificate, pair.key, now)
    except NoAuthority as error:
        raise CertificateRefused(f"{where}: {error}") from error


def _certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        raise CertificateRefused(
            f"{file} cannot be read as a certificate: {error}; put it back from a backup"
        ) from error


def _hosts(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names]
