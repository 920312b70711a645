"""Which addresses of a provider may be asked. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_trusted_address(address: str) -> bool:
    """Tell whether an address of an issuer is https, or http on loopback, and nothing is hidden in it."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return False
    if not host or parts.username is not None or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback_name(host))


def is_loopback_name(host: str) -> bool:
    """Tell whether a host is this machine, by name or address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def may_be_asked(endpoint: object, issuer: str) -> bool:
    """Tell whether an endpoint that an issuer names may be asked: https, or beside an issuer on loopback."""
    if not isinstance(endpoint, str):
        return False
    try:
        named, own = urlsplit(endpoint), urlsplit(issuer)
    except ValueError:
        return False
    if own.scheme == "http":
        return (named.scheme, named.netloc) == (own.scheme, own.netloc)
    return named.scheme == "https" and bool(named.hostname) and named.username is None
