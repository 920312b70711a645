"""What a server of Grafana should have: an organisation of those who read all, one of each municipality.

Each has one data source with an account of its own, a folder and the dashboards of each language, and lets
viewers and editors look at them only. Pure; must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.grafana.board import Board
from api.grafana.sdk import SOURCE_TYPE, SOURCE_UID, dashboard_json
from devices.texts.languages import Language, name_of
from store.edition import Edition

OURS = "nabd-"
"""How the uids of our folders and dashboards begin; whatever else a server has is not ours."""
VIEW = 1
"""Grafana's number of the right to look and not to change."""
VIEWERS: Mapping[str, int] = {"Viewer": VIEW, "Editor": VIEW}
ROLE = "nabd_grafana"
EXPRESSION = "__expr__"
"""What Grafana's alert rules name instead of a data source where they compute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaDatabase:
    """The database as Grafana reaches it. `host` with its port; `tls` as libpq's sslmode."""

    host: str
    name: str
    edition: Edition
    tls: str = "require"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaFolder:
    """A folder with its dashboards by uid, in the language of its name."""

    uid: str
    title: str
    dashboards: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaOrganisation:
    """An organisation; municipality None: it reads all. `role` is its account of the database.

    rules: alert rules as the provisioning API takes them; None: those that are there are nobody's business.
    """

    name: str
    municipality: str | None
    role: str
    source: Mapping[str, Any]
    folders: Sequence[GrafanaFolder]
    permissions: Mapping[str, int] = field(default_factory=lambda: VIEWERS)
    rules: Sequence[Mapping[str, Any]] | None = None

    @property
    def metrics_sources(self) -> set[str]:
        """Uids of the data sources that the alert rules ask."""
        queries = [query for rule in self.rules or () for query in rule["data"]]
        return {query["datasourceUid"] for query in queries} - {EXPRESSION}


def organisation_name(municipality: str | None) -> str:
    """Return what the organisation of a municipality is called, None: that of all."""
    return "Nabd" if municipality is None else f"Nabd {municipality}"


def municipality_of(organisation: str) -> str | None:
    """Return whose organisation of ours it is by its name; None: that of all, or somebody else's."""
    return organisation.removeprefix("Nabd ") if organisation.startswith("Nabd ") else None


def organisation(
    municipality: str | None, boards: Sequence[Board], database: GrafanaDatabase
) -> GrafanaOrganisation:
    """Return the organisation of a municipality, None: of all, with dashboards in their languages."""
    role = ROLE if municipality is None else f"{ROLE}_{municipality.replace('-', '_')}"
    languages: dict[Language, None] = dict.fromkeys(board.language for board in boards)
    return GrafanaOrganisation(
        name=organisation_name(municipality),
        municipality=municipality,
        role=role,
        source=_source(role, database),
        folders=[
            GrafanaFolder(
                uid=f"{OURS}{language}",
                title=f"Nabd ({name_of(language)})",
                dashboards={b.uid: dashboard_json(b) for b in boards if b.language == language},
            )
            for language in languages
        ],
    )


def _source(role: str, database: GrafanaDatabase) -> Mapping[str, Any]:
    """Return the data source as Grafana's API takes it, but for the password."""
    return {
        "uid": SOURCE_UID,
        "name": "Nabd",
        "type": SOURCE_TYPE,
        "access": "proxy",
        "url": database.host,
        "user": role,
        "isDefault": True,
        "jsonData": {
            "database": database.name,
            "sslmode": database.tls,
            "postgresVersion": 1600,
            "timescaledb": database.edition is Edition.TIMESCALE,
            "maxOpenConns": 5,
        },
    }
