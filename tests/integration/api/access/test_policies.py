"""Every route, as every role, on things of their own municipality and of another: what the policies say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from alerts.silencing import NewSilence, add_silence
from api import policies
from api.app import routes_of
from api.http.guards import OPEN_PATHS
from api.policies import NoPolicy, Where
from devices.registry import bans
from devices.registry.errors import AlreadyExists
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from notify.routing.overrides import NewStandIn, add_stand_ins
from notify.routing.schedules import NewSchedule, add_schedule, get_schedule
from notify.routing.teams import NewTeam, add_team
from people.editing import NewPerson, add_person
from people.identity import Identity, of_texts
from people.roles import Role, TokenScope
from people.tokens import identity_of
from rules.maintenance import windows
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.work.builders import picture, step
from work.calendars import editing
from work.calendars.public_days import ramadan_of
from work.orders import NewOrder, make
from work.photo_files import PhotoDirectory
from work.photos import add_photo

OWN, FOREIGN = "tripoli", "nablus"
ENDLESS = "/api/v1/stream"
OF_THINGS = (
    Where.DEVICE,
    Where.ASKED_DEVICE,
    Where.TOWN,
    Where.ASKED_TOWN,
    Where.ALERT,
    Where.WINDOW,
    Where.PLAN,
    Where.WORK_PLAN,
    Where.SILENCE,
    Where.USER,
    Where.TOKEN,
    Where.TEAM,
    Where.SCHEDULE,
    Where.WORK_ORDER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """What a route may name, all of it in one municipality."""

    device: str
    alert_id: int
    window: int
    silence: int
    plan: int
    user: str
    token: int
    municipality: str
    team: str
    schedule: str
    override: int
    work_plan: int
    day: str = "2026-12-24"
    year: int = 1448
    order: int
    order_id: int
    photo: str
    layer: str = "districts"
    rule: str = "bin-overflow"
    session: int = 1
    unknown: str = "bin-nobody-registered"
    part: str = "people"
    profile: str = "dragino-ldds75"
    source: str
    subscription: str
    guide: str = "operator"
    name: str = "amal"
    command_request: int
    rollout: int
    sha256: str = "0" * 64
    entity: str = "urn:ngsi-ld:WasteContainer:bin-tripoli"
    entity_type: str = "WasteContainer"
    attribute: str = "fillingLevel"
    path: str = "Things"
    kind: str = "bin"
    z: int = 0
    x: int = 0
    y: int = 0


async def things(connection: asyncpg.Connection, town: str, files: PhotoDirectory) -> Things:
    device = await builders.add(connection, f"bin-{town}", municipality=town)
    await builders.report(connection, device, fill_pct=50.0)
    alert = await builders.fire(connection, device)
    window = await windows.add_window(
        connection,
        device=device.name,
        from_at=builders.NOON - timedelta(hours=1),  # one that has not begun is deleted when it is ended
        until_at=builders.NOON + timedelta(hours=1),
        reason="washing",
        by=PLATFORM,
        now=builders.now(),
    )
    quiet = NewSilence(device=device.name, until_at=builders.NOON + timedelta(hours=1), reason="works")
    silence = await add_silence(connection, builders.KINDS, quiet, by=PLATFORM, now=builders.now())
    await builders.token(connection, f"of {town}", role=Role.VIEWER, municipality=town)
    token: int = await connection.fetchval("SELECT id FROM token WHERE name = $1", f"of {town}")
    user = await person(connection, town)
    order = await make(connection, NewOrder(device=device.name, title="look"), step())
    await builders.reject(connection, "bin-nobody-registered")
    kept = await add_photo(connection, files, order.id, picture(), step(), photo=uuid4())
    return Things(
        command_request=await builders.command_request(connection, town),
        rollout=await builders.rollout(connection, town),
        device=device.name,
        alert_id=alert,
        window=window.id,
        silence=silence.id,
        plan=await builders.plan(connection, device.name),
        user=user,
        token=token,
        municipality=town,
        team=await team(connection, town),
        schedule=await schedule(connection, town),
        override=await override(connection, town),
        work_plan=await builders.work_plan(connection, device.name),
        order=order.id,
        order_id=order.id,
        photo=str(kept.id),
        source=await source(connection, town),
        subscription=await subscription(connection, town),
    )


async def source(connection: asyncpg.Connection, town: str) -> str:
    """Return the name of a source of a municipality; one that was removed comes back."""
    new = NewSource(name=f"lora-{town}", municipality=town, format="chirpstack")
    with suppress(AlreadyExists):
        await add_source(connection, builders.KINDS, new, ALL, builders.now, by=PLATFORM)
    return new.name


async def subscription(connection: asyncpg.Connection, town: str) -> str:
    """Return the id of a subscription to a municipality; one that was removed comes back."""
    with suppress(AlreadyExists):
        await builders.subscription(connection, town, town)
    return f"urn:ngsi-ld:Subscription:{town}"


async def team(connection: asyncpg.Connection, town: str) -> str:
    """Return the name of a team of a municipality; one that was removed comes back."""
    name = f"lights-{town}"
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM team WHERE name = $1)", name):
        await add_team(connection, NewTeam(name=name, municipality=town), builders.now(), by=PLATFORM)
    return name


async def schedule(connection: asyncpg.Connection, town: str) -> str:
    """Return the name of an on-call schedule of a municipality; one that was removed comes back."""
    name = f"night-{town}"
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM on_call_schedule WHERE name = $1)", name):
        who = await person(connection, town)
        layer = {"people": [who], "start": "2026-03-02", "turn_days": 7, "handover": "08:00"}
        new = NewSchedule(name=name, municipality=town, layers=[layer])
        await add_schedule(connection, new, builders.now(), by=PLATFORM)
    return name


async def override(connection: asyncpg.Connection, town: str) -> int:
    """Return the number of somebody who stands in on it; one that was taken back comes back."""
    found = await get_schedule(connection, await schedule(connection, town))
    number: int | None = await connection.fetchval(
        "SELECT min(id) FROM on_call_override WHERE schedule_id = $1", found.id
    )
    if number is not None:
        return number
    who = await person(connection, town)
    new = NewStandIn(person=who, from_at=builders.NOON, until_at=builders.NOON + timedelta(days=2))
    (added,) = await add_stand_ins(connection, found, [new], builders.now(), by=PLATFORM)
    return added.id


async def person(connection: asyncpg.Connection, town: str) -> str:
    """Return the name of somebody of a municipality; one who was deleted comes back."""
    name = f"amal-{town}"
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM person WHERE name = $1)", name):
        new = NewPerson(name=name, grants=sorted(of_texts([f"viewer@{town}"]), key=str))
        await add_person(connection, new, builders.now(), by=PLATFORM)
    return name


DAY, YEAR = date(2026, 12, 24), 1448


async def calendar_day(connection: asyncpg.Connection, town: str) -> None:
    await editing.put_day(connection, town, DAY, working=True, by=PLATFORM, now=builders.now())


async def ramadan(connection: asyncpg.Connection, town: str) -> None:
    await editing.put_ramadan(connection, town, ramadan_of(YEAR), by=PLATFORM, now=builders.now())


async def banned(connection: asyncpg.Connection, town: str) -> None:
    with suppress(AlreadyExists):
        await bans.ban(
            connection, "bin-nobody-registered", "not ours", builders.now, municipality=town, by=PLATFORM
        )


MADE_AGAIN: dict[str, Callable[[asyncpg.Connection, str], Awaitable[object]]] = {
    "/api/v1/municipalities/{municipality}/calendar/days/{day}": calendar_day,
    "/api/v1/municipalities/{municipality}/calendar/ramadan/{year}": ramadan,
    "/api/v1/banned-devices/{unknown}": banned,
    "/api/v1/sources/{source}": source,
    "/ngsi-ld/v1/subscriptions/{subscription}": subscription,
    "/api/v1/users/{user}": person,
    "/api/v1/teams/{team}": team,
    "/api/v1/on-call/{schedule}": schedule,
}
"""What a deletion takes away, by its path."""


async def bearers(connection: asyncpg.Connection) -> dict[str, tuple[str, Identity]]:
    """Return a token and its identity for each role in one municipality and in all, and for each scope."""
    found = {}
    for role in Role:
        found[f"{role}@{OWN}"] = await builders.token(connection, role=role, municipality=OWN)
        found[role.value] = await builders.token(connection, role=role)
    for scope in TokenScope:
        found[scope.value] = await builders.token(connection, role=None, scopes=[scope])
    return {who: (t, await known(connection, t)) for who, t in found.items()}


async def known(connection: asyncpg.Connection, token: str) -> Identity:
    identity = await identity_of(connection, token, builders.now())
    assert identity is not None
    return identity


def requests(routes: list[tuple[str, str]], places: dict[str, Things]) -> Iterator[tuple[str, str, str, str]]:
    """Yield method, declared path, address and municipality of each request; deletions last."""
    for method, path in sorted(routes, key=lambda route: route[0] == "DELETE"):
        policy = policies.policy_of(method, path)
        assert policy is not None
        if path.startswith("/console/") and path != "/console/shell/frame.js":
            continue  # one policy for all of them
        for town in places if policy.where in OF_THINGS else [OWN]:
            address = path.format(**{name: getattr(places[town], name) for name in Things.__slots__})
            if policy.where is Where.ASKED_DEVICE:
                address += f"?device={places[town].device}"
            if policy.where is Where.ASKED_TOWN:
                address += f"?municipality={town}"
            if path == ENDLESS:
                address += "?last_event_id=x"
            yield method, path, address, town


def expected(method: str, path: str, identity: Identity, town: str) -> str:
    """Return what the declared policy says: let in, forbidden (403) or unseen (404)."""
    policy = policies.policy_of(method, path)
    assert policy is not None
    if policy.where is Where.SIGNED_IN or policy.people_only:
        return "forbidden"  # all of these are tokens
    if policy.permission is None:
        return "let in"
    if not identity.may(policy.permission):
        return "forbidden"
    if policy.where is Where.SOMEWHERE or identity.may_in(policy.permission, None):
        return "let in"
    if policy.where is Where.EVERYWHERE:
        return "forbidden"
    return "let in" if town == OWN else "unseen"


def said(answer: httpx2.Response) -> str:
    match answer.status_code:
        case 401 | 403:
            return "forbidden"
        case 404:
            return "unseen"
        case _:
            return "let in"


async def test_every_route_answers_every_role_as_its_policy_says(
    app: FastAPI, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    files = app.state.context.photos
    places = {town: await things(connection, town, files) for town in (OWN, FOREIGN)}
    people = await bearers(connection)
    # About a rule and about the trial of a rule: who is let in learns that there is no trial.
    absent = {path for _, path in routes_of(app) if "shadow" in path}
    wrong, cells = [], 0

    for method, path, address, town in requests(routes_of(app), places):
        if path in OPEN_PATHS:
            continue
        for who, (token, identity) in people.items():
            if method == "DELETE" and path in MADE_AGAIN:
                await MADE_AGAIN[path](connection, town)
            if method == "DELETE" and "{override}" in path:
                number = await override(connection, town)
                address = path.format(schedule=await schedule(connection, town), override=number)
            answer = await client.request(method, address, headers={"Authorization": f"Bearer {token}"})
            found, wanted = said(answer), expected(method, path, identity, town)
            cells += 1
            if found != wanted and not (wanted == "let in" and found == "unseen" and path in absent):
                wrong.append(f"{who}: {method} {address}: {answer.status_code}, not {wanted}: {answer.text}")

    print(f"{cells} cells: {len(people)} callers, {len(routes_of(app))} routes")
    assert wrong == [], "\n".join(wrong)
    assert cells > 700


async def test_technician_does_not_silence_a_device_by_changing_what_is_said_of_it(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    asked = [
        (body, role)
        for role in ("technician", "admin")
        for body in (
            {"title": "Souk"},
            {"attributes": {"interval_s": 9e9}},
            {"attributes": {"interval_s": None}},
            {"installed_at": None},
        )
    ]

    answers = []
    for body, role in asked:
        token = await builders.token(connection, role=Role(role), municipality=OWN)
        headers = {"Authorization": f"Bearer {token}"}
        answers.append(await client.patch("/api/v1/devices/bin-1", json=body, headers=headers))

    assert [a.status_code for a in answers] == [200, 403, 403, 403, 200, 200, 200, 200]
    assert "'manage-devices'" in answers[1].json()["detail"]


async def test_nobody_gets_anything_but_the_open_paths(app: FastAPI, connection: asyncpg.Connection) -> None:
    places = {OWN: await things(connection, OWN, app.state.context.photos)}
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as stranger:
        answered = {
            path
            for method, path, address, _ in requests(routes_of(app), places)
            if path not in OPEN_PATHS
            and (await stranger.request(method, address)).status_code not in (401, 429)
        } | {
            path
            for path in OPEN_PATHS
            if answers_or_has_no_provider(
                await stranger.get(path.replace("{municipality}", OWN).replace("{kind}", "bin"))
            )
        }

    assert answered == set(OPEN_PATHS)


def answers_or_has_no_provider(answer: httpx2.Response) -> bool:
    # A link that we did not sign is answered too, with what it is.
    if answer.status_code == 405:
        return answer.headers["Allow"] == "POST"  # where devices and platforms post
    if answer.status_code == 401:
        return answer.headers["WWW-Authenticate"].startswith("Basic")  # a device shows its own password
    nothing = ("NABD_OIDC_ISSUER", "not one of ours", "nabd tls init", "is published")
    said = any(s in answer.text for s in nothing)
    return answer.status_code == 200 or (answer.status_code == 404 and said)


def test_open_policies_are_the_open_paths() -> None:
    declared = {k.split()[1] for k, p in policies.POLICIES.items() if p.where is Where.OPEN}

    assert declared == OPEN_PATHS


def test_route_without_a_policy_does_not_start(app: FastAPI) -> None:
    routes = routes_of(app)

    with pytest.raises(NoPolicy, match="GET /api/v1/secrets"):
        policies.check([*routes, ("GET", "/api/v1/secrets")])
    with pytest.raises(NoPolicy, match="GET /healthz"):
        policies.check([route for route in routes if route[1] != "/healthz"])
