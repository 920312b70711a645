"""The address of the broker: mqtt://[user[:password]@]host[:port], mqtts:// with TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """A broker and our account there."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    secure: bool = False

    @property
    def tls(self) -> ssl.SSLContext | None:
        """The TLS context of a secure connection; None for a plain one."""
        return ssl.create_default_context() if self.secure else None

    def __str__(self) -> str:
        """Return the address without its password, for messages."""
        user = f"{quote(self.username)}@" if self.username else ""
        return f"mqtt{'s' if self.secure else ''}://{user}{self.host}:{self.port}"


def parse(text: str) -> BrokerAddress:
    """Parse an address.

    Raises:
        ValueError: it is not one; the text shows an example.
    """
    expected = "expected mqtt://[user[:password]@]host[:port], or mqtts:// for TLS"
    parts = urlsplit(text)
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(expected)
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError as error:
        raise ValueError(f"{error}; {expected}") from error
    return BrokerAddress(
        host=parts.hostname,
        port=port,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        secure=parts.scheme == "mqtts",
    )
