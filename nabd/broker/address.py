"""The address of a broker: mqtt://[user[:password]@]host[:port], mqtts:// with TLS; of NATS nats:// and tls://."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

PORTS = {"mqtt": 1883, "mqtts": 8883}
NATS_PORTS = {"nats": 4222, "tls": 4222}


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


def parse(text: str, ports: Mapping[str, int] = PORTS) -> BrokerAddress:
    """Parse an address; ports: of each scheme, the plain one first.

    Raises:
        ValueError: it is not one; the text shows an example.
    """
    plain, secure = ports
    expected = f"expected {plain}://[user[:password]@]host[:port], or {secure}:// for TLS"
    parts = urlsplit(text)
    if parts.scheme not in ports or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(expected)
    try:
        port = parts.port or ports[parts.scheme]
    except ValueError as error:
        raise ValueError(f"{error}; {expected}") from error
    return BrokerAddress(
        host=parts.hostname,
        port=port,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        secure=parts.scheme == secure,
    )
