"""What is wrong with certificates and with what the broker is given: near its end, refused, or not taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from devices.texts.translated import TranslatedText, say, several
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
FIXES: Mapping[str, TranslatedText] = {
    AUTHORITY: say("check.make_authority"),
    SERVER: say("check.renew_certificate"),
    REVOCATIONS: say("check.sign_revocations"),
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
        refused = say("check.certificate_refused", error=str(error))
        return bad("certificates", refused, say("check.put_certificate"))
    if not files:
        none = say("check.certificates_none", directory=str(directory))
        return note("certificates", none, say("check.make_certificates"))
    for one in files:
        if one.ends - now < WARN_BEFORE[one.file]:
            return bad("certificates", _ending(one, now), FIXES[one.file])
    first = min(files, key=lambda one: one.ends)
    ends = f"{first.ends:%Y-%m-%d}"
    return fine("certificates", say("check.certificates_good", n=len(files), file=first.file, ends=ends))


def _ending(one: CertificateFile, now: datetime) -> TranslatedText:
    what = f"{one.file} ({one.subject})"
    ending = say("check.certificate_over", file=what, since=f"{one.ends:%Y-%m-%d}")
    if one.ends > now:
        ending = say("check.certificate_ends", file=what, n=(one.ends - now).days)
    return several([ending, say("check.all_refused")]) if one.file == REVOCATIONS else ending


def _taken(directory: Path, now: datetime) -> CheckResult:
    subject = "broker files"
    put = [file for file in directory.glob("[!.]*") if file.name != broker_directory.APPLIED]
    if not put:
        empty = say("check.broker_files_none", directory=str(directory))
        return bad(subject, empty, say("check.write_broker_files"))
    said = broker_directory.applied(directory)
    if not said:
        unwatched = say("check.broker_files_unwatched", directory=str(directory))
        return bad(subject, unwatched, say("check.start_watcher"))
    for name, one in sorted(said.items()):
        if one.said != TAKEN:
            without = say("check.broker_file_refused", file=name, error=one.said)
            return bad(subject, without, say("check.mend_broker_file"))
    for file in sorted(put):
        age = now.timestamp() - file.stat().st_mtime
        known = said.get(file.name)
        if age > TOOK_S and (known is None or known.digest != broker_directory.digest(file.read_bytes())):
            left = say("check.broker_file_left", file=file.name, seconds=round(age))
            return bad(subject, left, say("check.look_at_watcher"))
    return fine(subject, say("check.broker_files_taken", n=len(put)))
