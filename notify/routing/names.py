"""What routes may name: municipalities, kinds, rules, districts, people, teams, on-call schedules.

Pure. Must not know how routes are read, nor the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OPERATORS, ADMINS, TECHNICIANS = "operators", "admins", "technicians"
ROLES = (OPERATORS, TECHNICIANS, ADMINS)
"""Receivers without a name: whoever holds the role in the municipality of the alert."""
PERSON, TEAM, ON_CALL = "person", "team", "on-call"
RECEIVERS: Mapping[str, str] = {PERSON: "person", TEAM: "team", ON_CALL: "on-call schedule"}
"""What stands before the colon of a receiver, and what that is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteNames:
    """Every name that there is; districts are codes, of all municipalities together.

    rule_routes: what rules say of who cares, their key `route`.
    """

    municipalities: frozenset[str]
    kinds: frozenset[str]
    rules: frozenset[str]
    rule_routes: frozenset[str]
    districts: frozenset[str]
    people: frozenset[str]
    teams: frozenset[str]
    schedules: frozenset[str]

    def receivers(self, kind: str) -> frozenset[str]:
        """Return the names of one of RECEIVERS."""
        return {PERSON: self.people, TEAM: self.teams, ON_CALL: self.schedules}[kind]
