"""Which certificates of services are believed: those of this machine, or of the file SSL_CERT_FILE."""

from __future__ import annotations

import ssl
from functools import cache


@cache
def of_machine() -> ssl.SSLContext:
    """Return the context of every connection to a service; reading it takes a while, so it is read once."""
    return ssl.create_default_context()
