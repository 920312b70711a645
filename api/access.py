"""Whether a request may do what it asks for: the identity against the policy of its route.

A thing of a municipality in which the caller reads nothing is answered as one that does not exist (404); what
they see and may not do, with 403. Who may do it in all municipalities is not asked where a thing is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from fastapi import Request

from alerts import queue, silencing
from api.context import POOL_TIMEOUT_S, AppContext, UsesContext, identity_of
from api.http.problems import Problem
from api.policies import AccessPolicy, Where
from devices.commands import requests
from devices.firmware import rollouts
from devices.registry import registry
from devices.registry.errors import NotFound
from notify.routing import schedules, teams
from people import person, tokens
from people.identity import Identity
from people.person import Person
from people.roles import Permission
from rules.maintenance import plans, windows
from work import listing
from work.preventive import plans as work_plans

if TYPE_CHECKING:
    from store.connection import Connection


async def permitted(request: Request, context: UsesContext) -> None:
    """Refuse what the policy of the request's route does not allow.

    Raises:
        Problem: 403, or 404 where the caller must not know that it exists.
    """
    # A route knows its path without the prefix under which it was included, so it is told by its function.
    policy: AccessPolicy | None = request.app.state.policies.get(
        (request.method, request.scope["route"].endpoint)
    )
    if policy is None:
        raise Problem(403, "forbidden", "nobody has said who may do this")
    if policy.where is Where.OPEN:
        return
    identity = identity_of(request)
    if (policy.where is Where.SIGNED_IN or policy.people_only) and identity.session is None:
        raise Problem(403, "forbidden", "only a person who is signed in may do this")
    if policy.permission is None:
        return
    await _judge(request, context, policy, policy.permission, identity)


async def _judge(
    request: Request,
    context: AppContext,
    policy: AccessPolicy,
    permission: Permission,
    identity: Identity,
) -> None:
    if not identity.may(permission):
        raise forbidden(permission)
    if policy.where is Where.SOMEWHERE or identity.may_in(permission, None):
        return
    find = _FINDERS.get(policy.where)
    named = _named(request, policy.where)
    if find is None or named is None:
        raise forbidden(permission, "in all municipalities")
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        await find(connection, identity, permission, named, request.method)


def forbidden(permission: Permission, where: str = "here") -> Problem:
    """Return the problem of a role that is missing."""
    return Problem(403, "forbidden", f"none of your roles allows {permission.value!r} {where}")


def _named(request: Request, where: Where) -> str | None:
    """Return what the request names; None where it names nothing."""
    if where is Where.ASKED_DEVICE:
        return request.query_params.get("device")
    if where is Where.ASKED_TOWN:
        return request.query_params.get("municipality")
    return next(map(str, request.path_params.values()), None)


def in_town(identity: Identity, permission: Permission, town: str | None, missing: Exception) -> None:
    """Refuse what lies in a municipality where it is not allowed.

    Args:
        town: None: in none, or in all of them.
        missing: raised where the caller must not know that it exists.

    Raises:
        Problem: it may be seen, and not done.
    """
    if identity.may_in(permission, town):
        return
    if identity.may_in(Permission.READ, town):
        raise forbidden(permission)
    raise missing


async def in_town_of_device(
    connection: Connection, identity: Identity, permission: Permission, name: str
) -> None:
    """Refuse what concerns a device where it is not allowed.

    Raises:
        NotFound: there is no such device, or the caller must not know of it.
        Problem: it may be seen, and not done.
    """
    device = await registry.get_device(connection, name)
    in_town(identity, permission, device.municipality, NotFound("device", name))


async def _device(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    await in_town_of_device(connection, identity, permission, named)


async def _town(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    in_town(identity, permission, named, NotFound("municipality", named))


async def _alert(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    missing = Problem(404, "unknown-alert", f"no alert has the number {named}")
    number = _number(named)
    alert = await queue.get_alert(connection, number) if number else None
    if alert is None:
        raise missing
    in_town(identity, permission, alert.municipality, missing)


async def _window(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    missing = NotFound("maintenance window", named)
    number = _number(named)
    if number is None:
        raise missing
    window = await windows.get_window(connection, number, now=0)
    town = window.municipality
    if window.device is not None:
        town = (await registry.get_device(connection, window.device)).municipality
    in_town(identity, permission, town, missing)


async def _plan(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    missing = NotFound("maintenance plan", named)
    number = _number(named)
    if number is None:
        raise missing
    plan = await plans.get_plan(connection, number, now=0)
    in_town(identity, permission, plan.town, missing)


async def _work_plan(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    missing = NotFound("work plan", named)
    number = _number(named)
    if number is None:
        raise missing
    plan = await work_plans.get_work_plan(connection, number)
    in_town(identity, permission, plan.municipality, missing)


async def _team(
    connection: Connection, identity: Identity, permission: Permission, named: str, method: str
) -> None:
    found = await teams.get_team(connection, named)
    if found.municipality is not None or method != "GET":
        in_town(identity, permission, found.municipality, NotFound("team", named))


async def _schedule(
    connection: Connection, identity: Identity, permission: Permission, named: str, method: str
) -> None:
    found = await schedules.get_schedule(connection, named)
    if found.municipality is not None or method != "GET":
        in_town(identity, permission, found.municipality, NotFound("on-call schedule", named))


async def _silence(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    missing = NotFound("silence", named)
    number = _number(named)
    if number is None:
        raise missing
    silence = await silencing.get_silence(connection, number, now=0)
    if silence.municipality is not None:
        in_town(identity, permission, silence.municipality, missing)
    elif permission is not Permission.READ:
        raise forbidden(permission, "in all municipalities")


async def _work_order(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    missing = NotFound("work order", named)
    number = _number(named)
    if number is None:
        raise missing
    found = await listing.get_order(connection, number)
    in_town(identity, permission, found.municipality, missing)


async def _rollout(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    missing = NotFound("rollout", named)
    number = _number(named)
    if number is None:
        raise missing
    found = await rollouts.get_rollout(connection, number)
    if found.municipality is not None:
        in_town(identity, permission, found.municipality, missing)
    elif permission is not Permission.READ:
        raise forbidden(permission, "in all municipalities")


async def _command_request(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    missing = NotFound("command request", named)
    number = _number(named)
    if number is None:
        raise missing
    found = await requests.get_request(connection, number, lambda: 0)
    in_town(identity, permission, found.municipality, missing)


async def _user(connection: Connection, identity: Identity, _: Permission, named: str, method: str) -> None:
    judge_person(identity, await person.get_person(connection, named), method)


def judge_person(identity: Identity, found: Person, method: str) -> None:
    """Refuse what concerns a person where the caller does not manage people.

    Raises:
        NotFound: the caller must not know of them.
        Problem: they may be seen, and not changed: they hold a role elsewhere too.
    """
    permission = Permission.MANAGE_PEOPLE
    if identity.may_in(permission, None):
        return
    towns = {grant.municipality for grant in found.grants}
    if not any(town is not None and identity.may_in(permission, town) for town in towns):
        raise NotFound("person", found.name)
    if method != "GET" and not identity.may_hand_out(found.grants):
        raise forbidden(permission, "in every municipality of that person")


async def _token(
    connection: Connection, identity: Identity, permission: Permission, named: str, _: str
) -> None:
    number = _number(named)
    if number is None or number >= 2**31:
        raise NotFound("token", named)
    await tokens.get_token(connection, number, within=identity.towns(permission))


def _number(named: str) -> int | None:
    """Return the number that a path names, None where it is none that anything can have."""
    return int(named) if named.isascii() and named.isdigit() and 0 < int(named) < 2**63 else None


Finder = Callable[["Connection", Identity, Permission, str, str], Awaitable[None]]
_FINDERS: Mapping[Where, Finder] = {
    Where.DEVICE: _device,
    Where.ASKED_DEVICE: _device,
    Where.TOWN: _town,
    Where.ASKED_TOWN: _town,
    Where.ALERT: _alert,
    Where.WINDOW: _window,
    Where.PLAN: _plan,
    Where.WORK_PLAN: _work_plan,
    Where.SILENCE: _silence,
    Where.WORK_ORDER: _work_order,
    Where.ROLLOUT: _rollout,
    Where.COMMAND_REQUEST: _command_request,
    Where.USER: _user,
    Where.TOKEN: _token,
    Where.TEAM: _team,
    Where.SCHEDULE: _schedule,
}
