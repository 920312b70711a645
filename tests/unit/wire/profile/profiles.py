"""Profiles of tests: small ones, as texts."""

from __future__ import annotations

from collections.abc import Mapping

from devices import kinds
from devices.wire.adapters.profile import Profile, ProfileRefused, parse
from devices.wire.adapters.uplink import Uplink

KINDS = kinds.load()


def profile(body: str, kind: str = "bin") -> Profile:
    """Return a profile of a kind; `body`: everything but its name, title and kind."""
    return parse(f'profile = "one"\ntitle = "One"\nkind = "{kind}"\n{body}', KINDS)


def values(lines: str, kind: str = "bin", before: str = "") -> Profile:
    """Return a profile with one reading; `lines`: of [readings.values]."""
    return profile(f"{before}\n[[readings]]\n[readings.values]\n{lines}", kind)


def mistakes(text: str) -> list[str]:
    """Return what is said of a text, a line each."""
    try:
        parse(text, KINDS, file="one.toml")
    except ProfileRefused as refused:
        return [str(error) for error in refused.errors]
    return []


def said(values: Mapping[str, object], counter: int | None = None, at: int | None = None) -> Uplink:
    """Return an uplink of decoded values."""
    return Uplink(device="BIN-1", raw=b"", values=values, counter=counter, at=at)


def sent(payload: str, port: int | None = None) -> Uplink:
    """Return an uplink of bytes in hexadecimal."""
    return Uplink(device="BIN-1", raw=b"", payload=bytes.fromhex(payload), port=port)
