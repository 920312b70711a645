"""A server brought to what is wanted: what differs is found, said, and unless it is a trial, done."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from api.grafana.sync.difference import SyncAction, SyncStep, SyncSubject, needs_password, steps
from api.grafana.sync.errors import GrafanaRefused
from api.grafana.sync.found import NOTHING, FoundOrganisation
from api.grafana.sync.server import GrafanaServer
from api.grafana.sync.wanted import GrafanaOrganisation


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingAccounts:
    """The accounts of the database: whether one exists, and what makes it, or gives it a password."""

    exists: Callable[[str], Awaitable[bool]]
    keep: Callable[[str, str | None, str], Awaitable[None]]
    """Role, municipality (None: all), password."""


async def sync(
    server: GrafanaServer,
    wanted: Sequence[GrafanaOrganisation],
    accounts: ReadingAccounts,
    *,
    dry_run: bool,
    prune: bool,
    new_password: Callable[[], str] = lambda: secrets.token_urlsafe(24),
) -> list[SyncStep]:
    """Bring a server's organisations to what is wanted and return what was done, or would be.

    Asked by a token it concerns the token's organisation only, which must be one of those wanted.

    Raises:
        GrafanaFailed: the server cannot be brought to that; what was done before stays.
    """
    await server.require()
    if server.address.token:
        name, number = await server.own_organisation()
        there = {name: number}
        wanted = [one for one in wanted if one.name == name]
        if not wanted:
            raise GrafanaRefused(f"the token belongs to organisation {name!r}, which is none of ours")
    else:
        there = dict(await server.organisations())
    done: list[SyncStep] = []
    for organisation in wanted:
        done += await _organisation(
            server, organisation, there.get(organisation.name), accounts, dry_run, prune, new_password
        )
    return done


async def _organisation(
    server: GrafanaServer,
    wanted: GrafanaOrganisation,
    number: int | None,
    accounts: ReadingAccounts,
    dry_run: bool,
    prune: bool,
    new_password: Callable[[], str],
) -> list[SyncStep]:
    own = server.within(number) if number is not None else None
    try:
        found = await own.found() if own else NOTHING
        if lacking := wanted.metrics_sources - found.sources:
            raise GrafanaRefused(
                f"organisation {wanted.name!r} has no data source {', '.join(sorted(lacking))}: make one"
                " there of a Prometheus that scrapes /metrics, or leave out --metrics-source"
            )
        account = await accounts.exists(wanted.role)
        todo = steps(wanted, found, exists=own is not None, account=account, prune=prune)
        if dry_run or not todo:
            return todo
        if own is None:
            own = server.within(await server.add_organisation(wanted.name))
        password = new_password() if needs_password(wanted, found, account=account) else None
        if password is not None:
            await accounts.keep(wanted.role, wanted.municipality, password)
        for step in todo:
            await _do(own, wanted, found, step, password)
        return todo
    finally:
        if own:
            await own.close()


async def _do(
    own: GrafanaServer,
    wanted: GrafanaOrganisation,
    found: FoundOrganisation,
    step: SyncStep,
    password: str | None,
) -> None:
    folders = {folder.uid: folder for folder in wanted.folders}
    match step.subject:
        case SyncSubject.ORGANISATION | SyncSubject.ACCOUNT:
            return  # done before all others, which need them
        case SyncSubject.SOURCE:
            await own.put_source(wanted.source, password, exists=found.source is not None)
        case SyncSubject.FOLDER if step.action is SyncAction.REMOVE:
            await own.remove_folder(step.name)
        case SyncSubject.FOLDER:
            await own.put_folder(folders[step.name], exists=step.action is SyncAction.CHANGE)
        case SyncSubject.PERMISSIONS:
            await own.put_permissions(step.name, wanted.permissions)
        case SyncSubject.DASHBOARD if step.action is SyncAction.REMOVE:
            await own.remove_dashboard(step.name)
        case SyncSubject.DASHBOARD:
            folder = next(one for one in wanted.folders if step.name in one.dashboards)
            await own.put_dashboard(folder.uid, folder.dashboards[step.name])
        case SyncSubject.ALERT_RULE if step.action is SyncAction.REMOVE:
            await own.remove_alert_rule(step.name)
        case SyncSubject.ALERT_RULE:
            rule = next(one for one in wanted.rules or () if one["uid"] == step.name)
            await own.put_alert_rule(rule, exists=step.action is SyncAction.CHANGE)
