"""What is wrong with certificates and with what the broker is given: near its end, refused, or not taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.identity import broker_directory, tls_files
from nabd.identity.broker_directory import TAKEN
from nabd.identity.tls_files import AUTHORITY, REVOCATIONS, SERVER, CertificateFile, CertificateRefused
from nabd.settings import Settings, tls_directory

WARN_BEFORE: Mapping[str, timedelta] = {
    AUTHORITY: timedelta(days=180),
    SERVER: timedelta(days=14),
    REVOCATIONS: timedelta(days=7),
}
"""How long before their end files are found: what `nabd sweep` renews was due long before."""
FIXES: Mapping[str, str] = {
    AUTHORITY: "make another (`nabd tls init` in another directory), and give it to devices beside this one",
    SERVER: "`nabd tls renew`, or put the certificate there that its issuer has renewed",
    REVOCATIONS: "run `nabd sweep` with NABD_BROKER_FILES and NABD_TLS_DIR: it signs the list anew",
}
TOOK_S = 60.0
"""In so many seconds the watcher takes what is new."""


def check(settings: Settings, now: datetime) -> list[CheckResult]:
    """Check the certificates that there are, and what became of them at the broker."""
    directory = tls_directory(settings)
    found = [_certificates(directory, now)] if directory.is_dir() else []
    return found if settings.broker_files is None else [*found, _taken(settings.broker_files, now)]


def _certificates(directory: Path, now: datetime) -> CheckResult:
    try:
        files = tls_files.files(directory)
    except CertificateRefused as error:
        return bad("certificates", str(error), "put the file back, or make it anew: `nabd tls --help`")
    if not files:
        return note("certificates", f"none in {directory}", "`nabd tls init --host NAME` makes them")
    for one in files:
        if one.ends - now < WARN_BEFORE[one.file]:
            return bad("certificates", _ending(one, now), FIXES[one.file])
    first = min(files, key=lambda one: one.ends)
    return fine("certificates", f"the first of {len(files)} to end is {first.file}, on {first.ends:%Y-%m-%d}")


def _ending(one: CertificateFile, now: datetime) -> str:
    days = (one.ends - now).days
    when = f"ends in {days} days" if one.ends > now else f"is over since {one.ends:%Y-%m-%d}"
    after = "; then the broker refuses every certificate" if one.file == REVOCATIONS else ""
    return f"{one.file} ({one.subject}) {when}{after}"


def _taken(directory: Path, now: datetime) -> CheckResult:
    subject = "broker files"
    put = [file for file in directory.glob("[!.]*") if file.name != broker_directory.APPLIED]
    if not put:
        return bad(subject, f"nothing in {directory}", "run `nabd sweep` with the same NABD_BROKER_FILES")
    said = broker_directory.applied(directory)
    if not said:
        fix = "let deploy/mosquitto/start run it, with MQTT_INCOMING for the same directory"
        return bad(subject, f"no watcher takes what lies in {directory}", fix)
    for name, one in sorted(said.items()):
        if one.said != TAKEN:
            return bad(
                subject,
                f"the broker goes on without {name}: {one.said}",
                "see to that file; it is written anew when it changes",
            )
    for file in sorted(put):
        age = now.timestamp() - file.stat().st_mtime
        known = said.get(file.name)
        if age > TOOK_S and (known is None or known.digest != broker_directory.digest(file.read_bytes())):
            fix = "see whether the watcher (deploy/mosquitto/watch) runs beside the broker"
            return bad(subject, f"{file.name} is there for {age:.0f} s and is not taken", fix)
    return fine(subject, f"the broker goes by all {len(put)}")
