"""Who asks: a person or a token, and what they may do where. Pure.

Municipalities are named by their names, which never change. Must not know how an identity was shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from people.roles import PERMISSIONS, SCOPES, Permission, Role, TokenScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One role in one municipality; None: in all of them, also those to come."""

    role: Role
    municipality: str | None = None


def of_texts(texts: Iterable[str]) -> frozenset[Grant]:
    """Return the grants that texts such as `operator@tripoli` and `admin` mean.

    Raises:
        ValueError: one names no role, or no municipality after its @.
    """
    found = []
    for text in texts:
        role, at, municipality = text.partition("@")
        if at and not municipality:
            raise ValueError(f"{text!r} names no municipality")
        found.append(Grant(role=Role(role), municipality=municipality or None))
    return frozenset(found)


def to_text(grant: Grant) -> str:
    """Return a grant as people write it."""
    return grant.role.value if grant.municipality is None else f"{grant.role}@{grant.municipality}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whoever made a request.

    principal: number of whom changes are recorded for. name: as shown to others. session: of a person who is
    signed in. scopes: of a token.
    """

    principal: int
    kind: Literal["person", "token"]
    name: str
    grants: frozenset[Grant]
    scopes: frozenset[TokenScope] = frozenset()
    session: int | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether they may do it in at least one municipality, or without any."""
        return any(permission in PERMISSIONS[g.role] for g in self.grants) or any(
            permission in SCOPES[scope] for scope in self.scopes
        )

    def may_in(self, permission: Permission, municipality: str | None) -> bool:
        """Tell whether they may do it in a municipality; None: in all of them, also those to come."""
        return any(
            g.municipality in (None, municipality) and permission in PERMISSIONS[g.role] for g in self.grants
        )

    def towns(self, permission: Permission) -> list[str] | None:
        """Return in which municipalities they may do it, by name; None for all of them."""
        found = {g.municipality for g in self.grants if permission in PERMISSIONS[g.role]}
        return None if None in found else sorted(town for town in found if town)

    def may_hand_out(self, grants: Iterable[Grant]) -> bool:
        """Tell whether they manage people in every municipality of the grants."""
        return all(self.may_in(Permission.MANAGE_PEOPLE, grant.municipality) for grant in grants)
