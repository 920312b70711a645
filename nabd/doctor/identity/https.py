"""Which certificate people meet: the port of HTTPS is asked, for it may show another than the file has."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from devices.credentials import authority
from devices.texts.translated import say
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.doctor.identity.certificates import WARN_BEFORE
from nabd.identity.tls_files import AUTHORITY, SERVER
from nabd.settings import Settings, tls_directory

ASK_S = 3.0


def check(settings: Settings, now: datetime) -> CheckResult | None:
    """Ask at NABD_PUBLIC_URL; None: people come without HTTPS."""
    address = urlsplit(settings.public_url)
    if address.scheme != "https" or not address.hostname:
        return None
    host, port = address.hostname, address.port or 443
    try:
        pem = ssl.get_server_certificate((host, port), timeout=ASK_S)
        shown = x509.load_pem_x509_certificate(pem.encode())
    except (OSError, ValueError) as error:
        none = say("check.https_none", address=f"{host}:{port}", error=str(error))
        return note("https", none, say("check.look_with_browser"))
    ends = shown.not_valid_after_utc
    place, day = f"{host}:{port}", f"{ends:%Y-%m-%d}"
    if _is_older_one_of_ours(shown, tls_directory(settings)):
        older = say("check.https_older", address=place, ends=day, file=SERVER)
        return bad("https", older, say("check.restart_https"))
    if ends <= now:
        return bad("https", say("check.https_over", address=place, since=day), say("check.renew_https"))
    if ends - now < WARN_BEFORE[SERVER]:
        ending = say("check.https_ends", address=place, n=(ends - now).days)
        return bad("https", ending, say("check.renew_https"))
    return fine("https", say("check.https_good", address=place, ends=day))


def _is_older_one_of_ours(shown: x509.Certificate, directory: Path) -> bool:
    """Tell whether our authority signed what is shown, and another one lies there now."""
    try:
        ours, server = (
            x509.load_pem_x509_certificate((directory / name).read_bytes()) for name in (AUTHORITY, SERVER)
        )
    except (OSError, ValueError):
        return False  # `certificates` tells of it
    return shown != server and authority.is_signed_by(shown, ours)
