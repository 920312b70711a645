"""A server of Grafana by its HTTP API, through grafana-client; the one module that knows it.

Every refusal and outage becomes one of `errors`. Organisations can be listed and made by a user with the
server's administration only; a service account's token is for the one organisation that it belongs to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from grafana_client import AsyncGrafanaApi
from grafana_client.client import (
    GrafanaClientError,
    GrafanaException,
    GrafanaServerError,
    GrafanaUnauthorizedError,
)
from niquests.exceptions import RequestException

from api.grafana.annotating.annotation import AlertAnnotation
from api.grafana.sdk import SOURCE_UID
from api.grafana.sync.errors import GrafanaOutdated, GrafanaRefused, GrafanaUnavailable
from api.grafana.sync.found import FoundFolder, FoundOrganisation
from api.grafana.sync.wanted import OURS, GrafanaFolder
from devices.texts.languages import LANGUAGES

OLDEST = 11
"""The first major version of Grafana whose dashboards are of our schema's kind."""
TIMEOUT_S = 30.0
DASHBOARDS_LISTED = 1000
REJECTED = "password authentication failed"
"""PostgreSQL's words, which the source's health repeats."""
ANNOTATIONS_LISTED = 100
"""Those of one tag: more than one only where several databases post into one organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaAddress:
    """Where a server is and who asks: a user with password, or the token of a service account."""

    url: str
    user: str = ""
    password: str = ""
    token: str = ""


class GrafanaServer:
    """A server, or one organisation of it: what is asked concerns that one."""

    def __init__(self, address: GrafanaAddress, organisation: int | None = None) -> None:
        parts = urlsplit(address.url)
        path = parts.path.strip("/")
        self.address = address
        self._api = AsyncGrafanaApi(
            address.token or (address.user, address.password),
            host=parts.hostname or "",
            port=parts.port,
            protocol=parts.scheme,
            url_path_prefix=f"{path}/" if path else "",
            timeout=TIMEOUT_S,
            organization_id=organisation,
        )

    def within(self, organisation: int) -> GrafanaServer:
        """Return the same server, asked for one organisation."""
        return GrafanaServer(self.address, organisation)

    async def close(self) -> None:
        """Close its connections."""
        await self._api.client.s.close()

    async def require(self) -> str:
        """Return the version of the server.

        Raises:
            GrafanaOutdated: it is older than OLDEST.
            GrafanaUnavailable: nobody answers, or somebody else than Grafana.
            GrafanaRefused: it does not know the user or token.
        """
        async with self._asking("its version"):
            built = await self._api.health.check()
        version = str((built or {}).get("version", "")) if isinstance(built, dict) else ""
        major = version.partition(".")[0]
        if not major.isdigit():
            raise GrafanaUnavailable(f"{self.address.url} answers, and not as Grafana: check the address")
        if int(major) < OLDEST:
            raise GrafanaOutdated(
                f"Grafana {version} at {self.address.url} is too old: {OLDEST} or later is needed"
            )
        return version

    async def organisations(self) -> Mapping[str, int]:
        """Return numbers of organisations by name."""
        async with self._asking("organisations"):
            listed = await self._api.organizations.list_organization()
        return {one["name"]: one["id"] for one in listed}

    async def own_organisation(self) -> tuple[str, int]:
        """Return name and number of the organisation that the token belongs to."""
        async with self._asking("its organisation"):
            found = await self._api.organization.get_current_organization()
        return found["name"], found["id"]

    async def add_organisation(self, name: str) -> int:
        """Make an organisation and return its number."""
        async with self._asking(f"organisation {name}"):
            made = await self._api.organization.create_organization(name)
        number: int = made["orgId"]
        return number

    async def found(self) -> FoundOrganisation:
        """Return what the organisation has of ours."""
        async with self._asking("what it has"):
            sources = await self._api.datasource.list_datasources()
            source = None
            if any(one["uid"] == SOURCE_UID for one in sources):
                source = await self._api.datasource.get_datasource_by_uid(SOURCE_UID)
            folders = await self._api.folder.get_all_folders()
            ours = [one for one in folders if str(one["uid"]).startswith(OURS)]
            rules = await self._api.alertingprovisioning.get_alertrules_all()
            return FoundOrganisation(
                source=source,
                rejected=source is not None and await self._is_rejected(),
                folders={one["uid"]: await self._folder(one["uid"], one["title"]) for one in ours},
                rules={one["uid"]: one for one in rules if str(one["folderUID"]).startswith(OURS)},
                sources=frozenset(one["uid"] for one in sources),
            )

    async def _is_rejected(self) -> bool:
        """Tell whether the source's password is wrong; no other trouble of the source is ours to mend."""
        try:
            said = await self._api.datasource.health(SOURCE_UID)
        except (GrafanaClientError, GrafanaServerError) as error:
            said = error.response
        return REJECTED in str(said)

    async def _folder(self, uid: str, title: str) -> FoundFolder:
        permissions = await self._api.folder.get_folder_permissions(uid)
        listed = await self._api.search.search_dashboards(
            type_="dash-db", folder_uids=[uid], limit=DASHBOARDS_LISTED
        )
        dashboards: dict[str, Mapping[str, Any]] = {}
        for one in listed:
            stored = (await self._api.dashboard.get_dashboard(one["uid"]))["dashboard"]
            dashboards[one["uid"]] = {k: v for k, v in stored.items() if k not in {"id", "version"}}
        roles = {one["role"]: one["permission"] for one in permissions if one.get("role")}
        within = await self._api.folder.get_all_folders(parent_uid=uid)
        return FoundFolder(title=title, permissions=roles, dashboards=dashboards, folders=bool(within))

    async def put_source(self, source: Mapping[str, Any], password: str | None, *, exists: bool) -> None:
        """Make or change the data source; password None: it stays."""
        body = dict(source)
        if password is not None:
            body["secureJsonData"] = {"password": password}
        async with self._asking("the data source"):
            if exists:
                await self._api.datasource.update_datasource_by_uid(SOURCE_UID, body)
            else:
                await self._api.datasource.create_datasource(body)

    async def put_folder(self, folder: GrafanaFolder, *, exists: bool) -> None:
        """Make a folder, or give it its title."""
        async with self._asking(f"folder {folder.uid}"):
            if exists:
                await self._api.folder.update_folder(folder.uid, title=folder.title, overwrite=True)
            else:
                await self._api.folder.create_folder(folder.title, uid=folder.uid)

    async def put_permissions(self, uid: str, permissions: Mapping[str, int]) -> None:
        """Say which roles may do what with a folder, and nobody else."""
        items: Sequence[Mapping[str, Any]] = [
            {"role": role, "permission": number} for role, number in permissions.items()
        ]
        async with self._asking(f"permissions of folder {uid}"):
            await self._api.folder.update_folder_permissions(uid, {"items": items})

    async def put_dashboard(self, folder: str, dashboard: Mapping[str, Any]) -> None:
        """Make a dashboard, or bring it to that whatever somebody has made of it."""
        body = {
            "dashboard": {**dashboard, "id": None},
            "folderUid": folder,
            "overwrite": True,
            "message": "Nabd",
        }
        async with self._asking(f"dashboard {dashboard['uid']}"):
            await self._api.dashboard.update_dashboard(body)

    async def put_alert_rule(self, rule: Mapping[str, Any], *, exists: bool) -> None:
        """Make an alert rule, or bring it to that; pages of Grafana show it as provisioned."""
        async with self._asking(f"alert rule {rule['title']}"):
            if exists:
                await self._api.alertingprovisioning.update_alertrule(rule["uid"], dict(rule))
            else:
                await self._api.alertingprovisioning.create_alertrule(dict(rule))

    async def remove_alert_rule(self, uid: str) -> None:
        """Remove an alert rule."""
        async with self._asking(f"alert rule {uid}"):
            await self._api.alertingprovisioning.delete_alertrule(uid)

    async def remove_dashboard(self, uid: str) -> None:
        """Remove a dashboard."""
        async with self._asking(f"dashboard {uid}"):
            await self._api.dashboard.delete_dashboard(uid)

    async def remove_folder(self, uid: str) -> None:
        """Remove a folder with what is in it."""
        async with self._asking(f"folder {uid}"):
            await self._api.folder.delete_folder(uid)

    async def marks_alerts_by_sql(self) -> bool:
        """Tell whether boards of the organisation ask our database for alerts to mark."""
        async with self._asking("its dashboards"):
            for language in LANGUAGES:
                try:
                    found = await self._api.dashboard.get_dashboard(f"nabd-city-{language}")
                except GrafanaClientError as error:
                    if error.status_code != 404:
                        raise
                    continue
                marks = found["dashboard"].get("annotations", {}).get("list", [])
                if any("rawSql" in (mark.get("target") or {}) for mark in marks):
                    return True
        return False

    async def annotations_of(self, tag: str) -> Sequence[Mapping[str, Any]]:
        """Return the annotations that have a tag."""
        async with self._asking(f"annotation {tag}"):
            found: list[Mapping[str, Any]] = await self._api.annotations.find_annotations(
                ann_type="annotation", tags=[quote(tag, safe="")], limit=ANNOTATIONS_LISTED
            )
        return found

    async def post_annotation(self, annotation: AlertAnnotation) -> None:
        """Post what is not there yet."""
        async with self._asking(f"annotation {annotation.tag}"):
            await self._api.annotations.add_annotation(
                time_from=annotation.begin_ms,
                time_to=annotation.end_ms,
                tags=list(annotation.tags),
                text=annotation.text,
            )

    async def change_annotation(self, number: int, annotation: AlertAnnotation) -> None:
        """Bring an annotation to what is wanted."""
        async with self._asking(f"annotation {annotation.tag}"):
            # All of it: what is left out is sent as an empty list of tags.
            await self._api.annotations.partial_update_annotation(
                number,
                time_from=annotation.begin_ms,
                time_to=annotation.end_ms,
                tags=list(annotation.tags),
                text=annotation.text,
            )

    @asynccontextmanager
    async def _asking(self, what: str) -> AsyncIterator[None]:
        where = self.address.url
        try:
            yield
        except GrafanaUnauthorizedError:
            who = "the token" if self.address.token else f"user {self.address.user} and its password"
            raise GrafanaRefused(f"{where} does not accept {who}: correct NABD_GRAFANA_*") from None
        except GrafanaServerError as error:
            raise GrafanaUnavailable(f"{where} failed, asked for {what}: {error.message}") from error
        except GrafanaClientError as error:
            raise GrafanaRefused(f"{where} refuses {what}: {_said(error)}") from error
        except (GrafanaException, RequestException, OSError) as error:
            raise GrafanaUnavailable(f"{where} does not answer: {error or type(error).__name__}") from error


def _said(error: GrafanaClientError) -> str:
    """Return the refusal, with what helps where the right is what lacks."""
    message = str(error.message)
    if error.status_code == 403:
        return f"{message}; a user with the server's administration may, or a token with role Admin"
    return message
