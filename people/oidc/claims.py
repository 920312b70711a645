"""What a provider says of a person, and which roles and name follow from it. Pure.

Must not know whom we know already.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from devices.storable import storable
from devices.texts.languages import LANGUAGES
from people import first
from people.contact_settings import EMAIL
from people.identity import Grant

Reason = Literal["away", "denied", "state", "untrusted", "clock", "group", "disabled"]
Roles = Mapping[str, Iterable[Grant]]
"""What each group of the provider may do."""
SUBJECT_LENGTH = 255
NAME_LENGTH = 50


class OidcRefused(Exception):
    """A sign-in by the provider that fails: `reason` for who signs in, the text for the log."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcClaims:
    """What the provider says of a person; None and empty where it says nothing that can be used."""

    issuer: str
    subject: str
    username: str
    display_name: str
    language: str | None
    email: str | None
    groups: frozenset[str]


def claims_of(issuer: str, said: Mapping[str, Any], groups_claim: str) -> OidcClaims:
    """Return what can be used of claims that were proven.

    Raises:
        OidcRefused: they do not say who it is.
    """
    subject = said.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_LENGTH or "\0" in subject:
        raise OidcRefused("untrusted", "the provider names no subject")
    email = _text(said, "email")
    usable = EMAIL.fullmatch(email) and said.get("email_verified") is not False
    language = re.split("[-_]", _text(said, "locale"))[0].lower()
    return OidcClaims(
        issuer=issuer,
        subject=subject,
        username=_text(said, "preferred_username") or email,
        display_name="".join(c for c in _text(said, "name") if c.isprintable())[:100],
        language=language if language in LANGUAGES else None,
        email=email if usable else None,
        groups=_groups(said.get(groups_claim)),
    )


def _groups(said: object) -> frozenset[str]:
    """Return the groups of a claim: a list of names, or one name."""
    listed = said if isinstance(said, list) else [said]
    return frozenset(group for group in listed if isinstance(group, str))


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return storable(value, 300).strip() if isinstance(value, str) else ""


def grants_of(groups: Iterable[str], roles: Roles) -> frozenset[Grant]:
    """Return the roles that groups give; a group that no setting names gives none."""
    return frozenset(grant for group in groups for grant in roles.get(group, ()))


def names_of(username: str) -> Iterator[str]:
    """Yield names for a new person: what they are called there, the same with a number, at last a random one.

    The name of the first administrator is left to `nabd user first`.
    """
    plain = unicodedata.normalize("NFKD", username.partition("@")[0].lower())
    base = re.sub(r"[^a-z0-9._-]+", "-", "".join(c for c in plain if not unicodedata.combining(c)))
    base = base[:NAME_LENGTH].strip("._-") or "person"
    if base != first.NAME:
        yield base
    yield from (f"{base}-{number}" for number in range(2, 10))
    yield f"{base}-{secrets.token_hex(4)}"
