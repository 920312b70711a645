"""What is to be done so that an organisation has what is wanted, in the order in which it is done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from api.grafana.sync.found import FoundFolder, FoundOrganisation
from api.grafana.sync.wanted import OURS, GrafanaFolder, GrafanaOrganisation


class SyncAction(StrEnum):
    """What is done to something."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


class SyncSubject(StrEnum):
    """What something is."""

    ORGANISATION = "organisation"
    ACCOUNT = "account"
    SOURCE = "data source"
    FOLDER = "folder"
    PERMISSIONS = "permissions"
    DASHBOARD = "dashboard"
    ALERT_RULE = "alert rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStep:
    """One thing to do. name: a folder's or dashboard's uid, else what people call it. why: what differs."""

    action: SyncAction
    subject: SyncSubject
    organisation: str
    name: str
    why: str = ""


def steps(
    wanted: GrafanaOrganisation, found: FoundOrganisation, *, exists: bool, account: bool, prune: bool
) -> list[SyncStep]:
    """Return what is to be done.

    Args:
        wanted: what the organisation should have.
        found: what it has.
        exists: whether there is such an organisation.
        account: whether its account of the database exists.
        prune: whether dashboards and folders of ours that nobody wants any more are removed.
    """
    return list(_steps(wanted, found, exists=exists, account=account, prune=prune))


def needs_password(wanted: GrafanaOrganisation, found: FoundOrganisation, *, account: bool) -> bool:
    """Tell whether the account gets a new password: a side lacks it or has another; none reads it back."""
    source = found.source
    if not account or found.rejected or source is None:
        return True
    return not source.get("secureJsonFields", {}).get("password")


def _steps(
    wanted: GrafanaOrganisation, found: FoundOrganisation, *, exists: bool, account: bool, prune: bool
) -> Iterator[SyncStep]:
    def step(action: SyncAction, subject: SyncSubject, name: str, why: str = "") -> SyncStep:
        return SyncStep(action=action, subject=subject, organisation=wanted.name, name=name, why=why)

    if not exists:
        yield step(SyncAction.ADD, SyncSubject.ORGANISATION, wanted.name)
    if needs_password(wanted, found, account=account):
        action = SyncAction.CHANGE if account else SyncAction.ADD
        yield step(action, SyncSubject.ACCOUNT, wanted.role, "new password" if account else "")
    if found.source is None:
        yield step(SyncAction.ADD, SyncSubject.SOURCE, wanted.source["uid"])
    elif differing := _differing(wanted.source, found.source):
        yield step(SyncAction.CHANGE, SyncSubject.SOURCE, wanted.source["uid"], differing)
    elif needs_password(wanted, found, account=account):
        yield step(SyncAction.CHANGE, SyncSubject.SOURCE, wanted.source["uid"], "password")
    for folder in wanted.folders:
        there = found.folders.get(folder.uid)
        if there is None:
            yield step(SyncAction.ADD, SyncSubject.FOLDER, folder.uid)
        elif there.title != folder.title:
            yield step(SyncAction.CHANGE, SyncSubject.FOLDER, folder.uid, "title")
        if there is None or dict(there.permissions) != dict(wanted.permissions):
            yield step(SyncAction.CHANGE, SyncSubject.PERMISSIONS, folder.uid)
        for uid, why in _dashboards(folder, there):
            yield step(SyncAction.CHANGE if why else SyncAction.ADD, SyncSubject.DASHBOARD, uid, why)
    for rule in wanted.rules or ():
        stored = found.rules.get(rule["uid"])
        if stored is None:
            yield step(SyncAction.ADD, SyncSubject.ALERT_RULE, rule["uid"])
        elif differing := _differing(rule, stored):
            yield step(SyncAction.CHANGE, SyncSubject.ALERT_RULE, rule["uid"], differing)
    if prune:
        for subject, uid in _unwanted(wanted, found):
            yield step(SyncAction.REMOVE, subject, uid)


def _dashboards(folder: GrafanaFolder, there: FoundFolder | None) -> Iterator[tuple[str, str]]:
    """Yield uids of dashboards that lack or differ, with what differs; nothing of one that lacks."""
    for uid, dashboard in folder.dashboards.items():
        stored = there.dashboards.get(uid) if there else None
        if stored is None:
            yield uid, ""
        elif differing := _differing(dashboard, stored, whole=True):
            yield uid, differing


def _unwanted(wanted: GrafanaOrganisation, found: FoundOrganisation) -> Iterator[tuple[SyncSubject, str]]:
    """Yield what is ours and not wanted; a folder stays where something of others lies in it."""
    kept = {folder.uid: folder for folder in wanted.folders}
    rules = {rule["uid"] for rule in wanted.rules or ()}
    for uid in found.rules if wanted.rules is not None else ():
        if uid not in rules and uid.startswith(OURS.rstrip("-")):
            yield SyncSubject.ALERT_RULE, uid
    for uid, there in found.folders.items():
        ours = [dashboard for dashboard in there.dashboards if dashboard.startswith(OURS)]
        if uid not in kept and not there.folders and len(ours) == len(there.dashboards):
            yield SyncSubject.FOLDER, uid
            continue
        for dashboard in ours:
            if uid not in kept or dashboard not in kept[uid].dashboards:
                yield SyncSubject.DASHBOARD, dashboard


def _differing(wanted: Mapping[str, Any], found: Mapping[str, Any], *, whole: bool = False) -> str:
    """Return the fields that differ; `whole`: what is there and not wanted differs too."""
    names = [name for name in wanted if not _same(wanted[name], found.get(name), whole=whole)]
    names += [name for name in found if whole and name not in wanted]
    return ", ".join(sorted(names))


def _same(wanted: Any, found: Any, *, whole: bool) -> bool:
    """Compare; a server may keep more in an object of a source or of a rule than it was given."""
    if whole:
        return bool(wanted == found)
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(_same(value, found.get(name), whole=False) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(
            _same(one, other, whole=False) for one, other in zip(wanted, found, strict=True)
        )
    return bool(wanted == found)
