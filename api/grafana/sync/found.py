"""What an organisation of a server has now, of what is ours to keep. Must not know HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFolder:
    """A folder of ours: its title, who may look at it, its dashboards by uid without id and version.

    folders: whether other folders lie in it, which are somebody else's.
    """

    title: str
    permissions: Mapping[str, int]
    dashboards: Mapping[str, Mapping[str, Any]]
    folders: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrganisation:
    """What an organisation has; source None: none of ours. folders: by uid, ours only.

    rejected: the database does not take the password that the source has. rules: alert rules by uid, ours
    only. sources: uids of all data sources.
    """

    source: Mapping[str, Any] | None = None
    rejected: bool = False
    folders: Mapping[str, FoundFolder] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()


NOTHING = FoundOrganisation()
"""What an organisation has that does not exist yet."""
