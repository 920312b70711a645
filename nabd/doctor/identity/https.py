"""Which certificate people meet: the port of HTTPS is asked, for it may show another than the file has."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from devices.credentials import authority
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.doctor.identity.certificates import WARN_BEFORE
from nabd.identity.tls_files import AUTHORITY, SERVER
from nabd.settings import Settings, tls_directory

ASK_S = 3.0
_AGAIN = "start what shows it again: `systemctl restart nabd-https`, `docker compose restart https`"


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
        why = f"{host}:{port} shows no certificate from here: {error}"
        return note(
            "https", why, "look with a browser; `nabd-https` (in containers `https`) says more in its log"
        )
    ends = shown.not_valid_after_utc
    if _is_older_one_of_ours(shown, tls_directory(settings)):
        said = f"what {host}:{port} shows, good until {ends:%Y-%m-%d}, is not {SERVER}"
        return bad("https", said, _AGAIN)
    if ends - now < WARN_BEFORE[SERVER]:
        when = f"ends in {(ends - now).days} days" if ends > now else f"is over since {ends:%Y-%m-%d}"
        return bad("https", f"the certificate at {host}:{port} {when}", f"renew it, or {_AGAIN}")
    return fine("https", f"{host}:{port} shows a certificate that is good until {ends:%Y-%m-%d}")


def _is_older_one_of_ours(shown: x509.Certificate, directory: Path) -> bool:
    """Tell whether our authority signed what is shown, and another one lies there now."""
    try:
        ours, server = (
            x509.load_pem_x509_certificate((directory / name).read_bytes()) for name in (AUTHORITY, SERVER)
        )
    except (OSError, ValueError):
        return False  # `certificates` tells of it
    return shown != server and authority.is_signed_by(shown, ours)
