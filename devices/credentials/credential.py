"""One credential of a device: its form, and whether it works at an instant. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CredentialForm(StrEnum):
    """What a device shows: a password, or a certificate whose private key it has."""

    PASSWORD = "password"  # noqa: S105 - a form, not a secret
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCredential:
    """What is known of a credential; a password is not.

    username: by which it signs in. serial, fingerprint, not_after: of certificates. ends_at: from when it
    does not work, `rotated` or `revoked`; None: it is the current one of its form.
    """

    id: int
    device: str
    form: CredentialForm
    username: str
    serial: str | None
    fingerprint: str | None
    made_at: datetime
    author: str
    not_after: datetime | None
    ends_at: datetime | None
    ending: str | None

    def works(self, now: datetime) -> bool:
        """Tell whether it is good at an instant; the device must be in service and called so, besides."""
        return (self.ends_at is None or self.ends_at > now) and (
            self.not_after is None or self.not_after > now
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedPassword:
    """A password just made, to be told once; the one before, if any, works until `before_until`."""

    device: str
    title: str
    titles: Mapping[str, str]
    municipality: str
    kind: str
    username: str
    password: str
    before_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """A certificate just signed for a device, by which it signs in under `username`."""

    device: str
    username: str
    serial: str
    fingerprint: str
    not_after: datetime
