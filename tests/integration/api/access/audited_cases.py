"""Every operation of the API that changes something: what it needs, how it is asked, what the audit says."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import asyncpg

from alerts.acknowledgement import acknowledge
from alerts.silencing import NewSilence, add_silence
from alerts.transition import Severity
from devices.credentials import issuing
from devices.publishing.published import publish
from devices.registry import bans
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from notify.routing.overrides import NewStandIn, add_stand_ins
from notify.routing.schedules import NewSchedule, OnCallSchedule, add_schedule
from notify.routing.teams import NewTeam, add_team
from people.editing import NewPerson, add_person, disable_person
from people.identity import of_texts
from rules.loading.files import parse
from rules.maintenance import windows
from rules.trial import shadows
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.work import builders as work_builders
from tests.unit.devices.ground.files import WEST, feature
from work import steps
from work.assigning import Crew
from work.calendars import editing
from work.clocks.sla import DEFAULTS, LocalTarget, put_target

CHANGING = {"post", "put", "patch", "delete"}

UNAUDITED = {
    "post /api/v2/alerts": "alerts that open and end are transitions, as those of readings are",
    "post /api/v1/telemetry": "what devices say is in the ledger, as it is by MQTT",
    "post /api/v1/webhooks/{source}": "what devices say is in the ledger, as it is by MQTT",
    "post /api/v1/rules/check": "reads rules, and writes nothing",
    "post /api/v1/rules/test": "evaluates rules over what is stored, and writes nothing",
    "post /api/v1/profiles/test": "says what a message would become, and keeps nothing",
    "post /api/v1/routes/test": "says whom an alert would be told, and tells nobody",
    "post /api/v1/session/totp": "offers a secret, and keeps nothing",
}

"""Operations that leave no row, each with the reason."""

BY_PEOPLE = {
    "post /signin",
    "delete /api/v1/session",
    "post /api/v1/command-requests",
    "post /api/v1/command-requests/{command_request}/approve",
    "post /api/v1/command-requests/{command_request}/refuse",
    "patch /api/v1/session/contact",
    "put /api/v1/session/subscriptions",
    "post /api/v1/session/push",
    "delete /api/v1/session/push",
    "post /api/v1/session/push/test",
    "delete /api/v1/session/all/{session}",
    "post /api/v1/session/password",
    "put /api/v1/session/totp",
    "delete /api/v1/session/totp",
    "post /api/v1/alerts/{alert_id}/take",
    "post /answer/{token}",
    "post /api/v1/answers/sms",
}

"""What a person alone does.

test_commands, test_people, test_contact, test_subscriptions, test_own_push, test_assignments and test_answers
try it.
"""

RULE = """
id: NAME
kind: bin
summary: {en: "{device} is full", fr: "{device} est plein", ar: "{device} ممتلئ"}
levels: {major: fill_pct >= 90}
"""

YAML = {"Content-Type": "application/yaml"}


async def _device(connection: asyncpg.Connection, name: str) -> None:
    await builders.add(connection, name, lat=34.4367, lon=35.8497)


async def _image(connection: asyncpg.Connection, name: str) -> None:
    await builders.add(connection, name, kind="light")
    await builders.give_passwords(connection, name)
    await connection.execute("UPDATE rollout SET state = 'cancelled'")  # of the cases before
    await builders.image(connection, "light", name)


async def _rollout(connection: asyncpg.Connection, name: str) -> int:
    await connection.execute("UPDATE rollout SET state = 'cancelled'")
    return await builders.rollout(connection, "tripoli")


async def _paused(connection: asyncpg.Connection, name: str) -> int:
    number = await _rollout(connection, name)
    await connection.execute("UPDATE rollout SET state = 'paused' WHERE id = $1", number)
    return number


async def _drone(connection: asyncpg.Connection, name: str) -> None:
    await builders.add(connection, name, kind="drone")


async def _credential(connection: asyncpg.Connection, name: str) -> None:
    await _device(connection, name)
    await issuing.rotate_passwords(
        connection, builders.KINDS, [name], now=builders.now, by=PLATFORM, random=secrets.token_bytes
    )


async def _planned(connection: asyncpg.Connection, name: str) -> None:
    await builders.add(connection, name, planned=True)


async def _alert(connection: asyncpg.Connection, name: str) -> int:
    device = await builders.add(connection, name)
    return await builders.fire(connection, device)


async def _rhythm(connection: asyncpg.Connection, name: str) -> None:
    device = await builders.add(connection, name)
    days = [{"observed_at": builders.NOON - timedelta(hours=h), "fill_pct": 5.0} for h in range(5)]
    await builders.store(connection, device, days)
    await connection.execute(
        "INSERT INTO device_pace (device_id, pace, learned_at) VALUES ($1, 6, now())", device.id
    )


async def _window(connection: asyncpg.Connection, name: str) -> int:
    await _device(connection, name)
    window = await windows.add_window(
        connection,
        device=name,
        until_at=builders.NOON + timedelta(hours=4),
        reason="washing",
        by=PLATFORM,
        now=builders.now(),
    )
    return window.id


async def _plan(connection: asyncpg.Connection, name: str) -> int:
    await _device(connection, name)
    return await builders.plan(connection, name)


async def _work_plan(connection: asyncpg.Connection, name: str) -> int:
    await _device(connection, name)
    return await builders.work_plan(connection, name)


async def _target(connection: asyncpg.Connection, name: str) -> None:
    target = LocalTarget(municipality=None, kind=None, target=DEFAULTS[Severity.MAJOR])
    await put_target(connection, target, by=PLATFORM, now=builders.now())


async def _calendar_day(connection: asyncpg.Connection, name: str) -> None:
    await builders.add_town(connection)
    day = date(2026, 12, 24)
    await editing.put_day(connection, "tripoli", day, working=True, by=PLATFORM, now=builders.now())


async def _ramadan(connection: asyncpg.Connection, name: str) -> None:
    await builders.add_town(connection)
    days = (date(2026, 2, 18), date(2026, 3, 20))
    await editing.put_ramadan(connection, "tripoli", days, by=PLATFORM, now=builders.now())


async def _silence(connection: asyncpg.Connection, name: str) -> int:
    await _device(connection, name)
    new = NewSilence(device=name, until_at=builders.NOON + timedelta(hours=4), reason="works")
    return (await add_silence(connection, builders.KINDS, new, by=PLATFORM, now=builders.now())).id


async def _seen(connection: asyncpg.Connection, name: str) -> int:
    alert = await _alert(connection, name)
    await acknowledge(connection, [alert], by=PLATFORM, now=builders.now())
    return alert


async def _shadow(connection: asyncpg.Connection, name: str) -> None:
    definitions = parse(RULE.replace("NAME", name), builders.KINDS)
    await shadows.add(connection, definitions, by=PLATFORM, now=builders.now())


async def _rule(connection: asyncpg.Connection, name: str) -> None:
    await _shadow(connection, name)
    await shadows.promote(connection, builders.KINDS, name, by=PLATFORM, now=builders.now())


async def _disabled(connection: asyncpg.Connection, name: str) -> None:
    await _rule(connection, name)
    await connection.execute("UPDATE rule SET active = false WHERE id = $1", name)


async def _town(connection: asyncpg.Connection, name: str) -> None:
    await builders.add_town(connection)


async def _subscription(connection: asyncpg.Connection, name: str) -> str:
    return await builders.subscription(connection, name)


async def _published_town(connection: asyncpg.Connection, name: str) -> None:
    await builders.add_town(connection)
    await publish(connection, "tripoli", "CC0-1.0", builders.now, by=PLATFORM)


async def _unknown(connection: asyncpg.Connection, name: str) -> None:
    await builders.add_town(connection)
    await builders.reject(connection, name)


async def _unknown_beside(connection: asyncpg.Connection, name: str) -> None:
    await _unknown(connection, name)
    await builders.add(connection, f"{name}-place")


async def _banned(connection: asyncpg.Connection, name: str) -> None:
    await _unknown(connection, name)
    await bans.ban(connection, name, "not ours", builders.now, municipality="tripoli", by=PLATFORM)


async def _source(connection: asyncpg.Connection, name: str) -> None:
    await builders.add_town(connection)
    new = NewSource(name=name.lower(), municipality="tripoli", format="chirpstack")
    await add_source(connection, builders.KINDS, new, ALL, builders.now, by=PLATFORM)


async def _person(connection: asyncpg.Connection, name: str) -> None:
    await add_person(connection, NewPerson(name=name), builders.now(), by=PLATFORM)


async def _colleague(connection: asyncpg.Connection, name: str) -> int:
    grants = sorted(of_texts(["technician@tripoli"]), key=str)
    await add_person(connection, NewPerson(name=name, grants=grants), builders.now(), by=PLATFORM)
    return await _alert(connection, name)


async def _out(connection: asyncpg.Connection, name: str) -> None:
    await _person(connection, name)
    await disable_person(connection, name, builders.now(), by=PLATFORM)


async def _with_app(connection: asyncpg.Connection, name: str) -> None:
    await _person(connection, name)
    await connection.execute("UPDATE person SET totp_secret = 'secret' WHERE name = $1", name)


async def _token(connection: asyncpg.Connection, name: str) -> int:
    await builders.token(connection, name)
    number: int = await connection.fetchval("SELECT id FROM token WHERE name = $1", name)
    return number


async def _team(connection: asyncpg.Connection, name: str) -> None:
    await add_team(connection, NewTeam(name=name), builders.now(), by=PLATFORM)


async def _on_call(connection: asyncpg.Connection, name: str) -> OnCallSchedule:
    await _person_of_town(connection, name)
    new = NewSchedule(name=name, time_zone="Asia/Beirut", layers=[{**LAYER, "people": [name]}])
    return await add_schedule(connection, new, builders.now(), by=PLATFORM)


async def _schedule(connection: asyncpg.Connection, name: str) -> None:
    await _on_call(connection, name)


async def _stand_in(connection: asyncpg.Connection, name: str) -> int:
    schedule = await _on_call(connection, name)
    new = NewStandIn(person=name, from_at=builders.NOON, until_at=builders.NOON + timedelta(hours=1))
    (added,) = await add_stand_ins(connection, schedule, [new], builders.now(), by=PLATFORM)
    return added.id


async def _person_of_town(connection: asyncpg.Connection, name: str) -> None:
    new = NewPerson(name=name, grants=sorted(of_texts(["viewer"]), key=str))
    await add_person(connection, new, builders.now(), by=PLATFORM)


async def _given(connection: asyncpg.Connection, name: str) -> int:
    """Return an order that somebody of that name has not accepted yet."""
    await work_builders.person(connection, name)
    return (await work_builders.order(connection, name, to=Crew(assignee=name))).id


async def _taken(connection: asyncpg.Connection, name: str) -> int:
    order = await _given(connection, name)
    await steps.accept(connection, order, work_builders.step())
    return order


LAYER = {"people": ["NAME"], "start": "2026-03-02", "turn_days": 7, "handover": "08:00"}

SCHEDULE = {"name": "NAME", "time_zone": "Asia/Beirut", "layers": [LAYER]}

STANDS_IN = {"person": "NAME", "from_at": "2026-03-02T08:00:00Z", "until_at": "2026-03-03T08:00:00Z"}

ENTRIES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:one
SUMMARY:NAME
DTSTART:20260302T080000Z
DTEND:20260303T080000Z
END:VEVENT
END:VCALENDAR
"""

PLANNED = {
    "device": "NAME",
    "until_at": (builders.NOON + timedelta(hours=1)).isoformat(),
    "reason": "washing",
}

AGAIN = {
    "device": "NAME",
    "every": "week",
    "days": [1],
    "from_time": "02:00",
    "until_time": "04:00",
    "reason": "washing",
}

OFTEN = {"device": "NAME", "title": "wash it", "every": 6, "unit": "months"}

TARGET = {"severity": "minor", "response_s": 3600, "repair_s": 7200}

NEW = {"name": "NAME", "kind": "bin", "municipality": "tripoli"}


Prepare = Callable[[asyncpg.Connection, str], Awaitable[int | str | None]]

CASES: dict[str, tuple[Prepare, dict[str, Any], list[str]]] = {
    "post /api/v1/devices": (_town, {"json": NEW}, ["device.add"]),
    "patch /api/v1/devices/{device}": (_device, {"json": {"title": "Souk"}}, ["device.edit"]),
    "post /api/v1/devices/import": (
        _town,
        {"content": "name,kind,municipality\nNAME,bin,tripoli\n", "headers": {"Content-Type": "text/csv"}},
        ["device.add"],
    ),
    "post /api/v1/quarantine/{unknown}/adopt": (_unknown, {"json": {}}, ["device.add", "quarantine.replay"]),
    "post /api/v1/quarantine/{unknown}/replace": (
        _unknown_beside,
        {"json": {"place": "NAME-place"}},
        ["device.replace", "quarantine.replay"],
    ),
    "post /api/v1/quarantine/{unknown}/replay": (_unknown, {}, ["quarantine.replay"]),
    "post /api/v1/quarantine/{unknown}/ban": (_unknown, {"json": {"reason": "not ours"}}, ["device.ban"]),
    "delete /api/v1/banned-devices/{unknown}": (_banned, {}, ["device.unban"]),
    "post /api/v1/sources": (
        _town,
        {"json": {"name": "NAME", "municipality": "tripoli", "format": "chirpstack", "secret": "s"}},
        ["device.add", "source.add"],
    ),
    "patch /api/v1/sources/{source}": (_source, {"json": {"enabled": False}}, ["source.edit"]),
    "delete /api/v1/sources/{source}": (_source, {}, ["source.remove"]),
    "post /ngsi-ld/v1/subscriptions": (
        _town,
        {
            "json": {
                "id": "urn:ngsi-ld:Subscription:NAME",
                "type": "Subscription",
                "entities": [{"type": "WasteContainer"}],
                "notification": {"endpoint": {"uri": "https://93.184.216.34/"}},
            }
        },
        ["subscription.add"],
    ),
    "patch /ngsi-ld/v1/subscriptions/{subscription}": (
        _subscription,
        {"json": {"isActive": False}},
        ["subscription.edit"],
    ),
    "delete /ngsi-ld/v1/subscriptions/{subscription}": (_subscription, {}, ["subscription.remove"]),
    "post /api/v1/devices/{device}/notes": (_device, {"json": {"body": "key at the baker"}}, ["device.note"]),
    "post /api/v1/devices/{device}/hand-readings": (
        _device,
        {"json": {"measurements": {"fill_pct": 55}}},
        ["reading.enter"],
    ),
    "post /api/v1/devices/{device}/commands": (_device, {"json": {"name": "report_now"}}, ["command.send"]),
    "patch /api/v1/devices/{device}/config": (
        _device,
        {"json": {"desired": {"interval_s": 60}}},
        ["device.configure"],
    ),
    "post /api/v1/rollouts": (
        _image,
        {"json": {"kind": "light", "version": "NAME", "municipality": "tripoli"}},
        ["rollout.start"],
    ),
    "post /api/v1/rollouts/{rollout}/pause": (_rollout, {}, ["rollout.pause"]),
    "post /api/v1/rollouts/{rollout}/resume": (_paused, {}, ["rollout.resume"]),
    "post /api/v1/rollouts/{rollout}/cancel": (_rollout, {}, ["rollout.cancel"]),
    "post /api/v1/municipalities": (_town, {"json": {"name": "NAME"}}, ["municipality.add"]),
    "patch /api/v1/municipalities/{municipality}": (
        _town,
        {"json": {"weekend": [5, 6]}},
        ["municipality.edit"],
    ),
    "post /api/v1/devices/{device}/retire": (_device, {"json": {"reason": "stolen"}}, ["device.retire"]),
    "post /api/v1/devices/{device}/credentials": (_device, {"json": {"overlap_hours": 1}}, ["device.rotate"]),
    "post /api/v1/devices/{device}/credentials/revoke": (_credential, {}, ["device.revoke"]),
    "post /api/v1/device-credentials": (
        _drone,
        {"json": {"municipality": "tripoli", "kind": "drone"}},
        ["device.rotate"],
    ),
    "post /api/v1/devices/{device}/install": (_planned, {"json": {}}, ["device.install"]),
    "post /api/v1/devices/{device}/hardware": (_device, {"json": {"serial": "SN-2"}}, ["device.replace"]),
    "post /api/v1/devices/{device}/interval": (_rhythm, {}, ["device.edit"]),
    "post /api/v1/alerts/{alert_id}/acknowledge": (_alert, {}, ["alert.acknowledge"]),
    "post /api/v1/alerts/{alert_id}/unacknowledge": (_seen, {}, ["alert.unacknowledge"]),
    "post /api/v1/alerts/acknowledge": (_alert, {"json": {"alerts": ["ROW"]}}, ["alert.acknowledge"]),
    "post /api/v1/alerts/unacknowledge": (_seen, {"json": {"alerts": ["ROW"]}}, ["alert.unacknowledge"]),
    "post /api/v1/alerts/{alert_id}/assign": (_colleague, {"json": {"to": "NAME"}}, ["alert.assign"]),
    "post /api/v1/alerts/{alert_id}/comments": (_alert, {"json": {"body": "hm"}}, ["alert.comment"]),
    "put /api/v1/rules/{rule}": (_town, {"content": RULE, "headers": YAML}, ["rule.apply"]),
    "post /api/v1/rules/{rule}/enable": (_disabled, {}, ["rule.enable"]),
    "post /api/v1/rules/{rule}/disable": (_rule, {}, ["rule.disable"]),
    "put /api/v1/rules/{rule}/shadow": (_town, {"content": RULE, "headers": YAML}, ["rule.shadow"]),
    "post /api/v1/rules/{rule}/shadow/promote": (_shadow, {}, ["rule.apply", "rule.promote"]),
    "delete /api/v1/rules/{rule}/shadow": (_shadow, {}, ["rule.drop"]),
    "put /api/v1/municipalities/{municipality}/layers/{layer}": (
        _town,
        {"json": {"type": "FeatureCollection", "features": [feature(WEST, name="West")]}},
        ["layer.import"],
    ),
    "post /api/v1/notifications/test": (
        _town,
        {"json": {"channel": "email", "to": "amal@example.org"}},
        ["notification.test"],
    ),
    "post /api/v1/maintenance": (_device, {"json": PLANNED}, ["maintenance.plan"]),
    "put /api/v1/routes": (_town, {"content": "tell: operators", "headers": YAML}, ["route.apply"]),
    "post /api/v1/teams": (_town, {"json": {"name": "NAME"}}, ["team.add"]),
    "patch /api/v1/teams/{team}": (_team, {"json": {"title": {"en": "Lights"}}}, ["team.edit"]),
    "delete /api/v1/teams/{team}": (_team, {}, ["team.remove"]),
    "post /api/v1/on-call": (_person_of_town, {"json": SCHEDULE}, ["on-call.add"]),
    "patch /api/v1/on-call/{schedule}": (_schedule, {"json": {"title": {"en": "Nights"}}}, ["on-call.edit"]),
    "delete /api/v1/on-call/{schedule}": (_schedule, {}, ["on-call.remove"]),
    "post /api/v1/on-call/{schedule}/overrides": (_schedule, {"json": STANDS_IN}, ["on-call.override"]),
    "delete /api/v1/on-call/{schedule}/overrides/{override}": (_stand_in, {}, ["on-call.turns"]),
    "post /api/v1/on-call/{schedule}/import": (
        _schedule,
        {"content": ENTRIES, "headers": {"Content-Type": "text/calendar"}},
        ["on-call.override"],
    ),
    "post /api/v1/users": (_town, {"json": {"name": "NAME", "roles": ["viewer@tripoli"]}}, ["person.add"]),
    "patch /api/v1/users/{user}": (_person, {"json": {"language": "fr"}}, ["person.edit"]),
    "delete /api/v1/users/{user}": (_person, {}, ["person.delete"]),
    "post /api/v1/users/{user}/disable": (_person, {}, ["person.disable"]),
    "post /api/v1/users/{user}/enable": (_out, {}, ["person.enable"]),
    "post /api/v1/users/{user}/password": (
        _person,
        {"json": {"password": "three words"}},
        ["person.password"],
    ),
    "post /api/v1/users/{user}/link": (_person, {}, ["person.link"]),
    "delete /api/v1/users/{user}/totp": (_with_app, {}, ["person.totp"]),
    "post /api/v1/tokens": (_town, {"json": {"name": "NAME", "role": "viewer"}}, ["token.create"]),
    "post /api/v1/tokens/{token}/revoke": (_token, {}, ["token.revoke"]),
    "post /api/v1/work-orders": (
        _device,
        {"json": {"device": "NAME", "title": "look"}},
        ["work.create"],
    ),
    "post /api/v1/work-orders/{order}/assign": (_given, {"json": {}}, ["work.assign"]),
    "post /api/v1/work-orders/{order}/accept": (_given, {}, ["work.accept"]),
    "post /api/v1/work-orders/{order}/decline": (_given, {"json": {"reason": "no"}}, ["work.decline"]),
    "post /api/v1/work-orders/{order}/on-the-way": (_taken, {}, ["work.on-the-way"]),
    "post /api/v1/work-orders/{order}/start": (_taken, {}, ["work.in-progress"]),
    "post /api/v1/work-orders/{order}/done": (_taken, {"json": {"done": "painted"}}, ["work.done"]),
    "post /api/v1/work-orders/{order}/cancel": (_given, {"json": {"reason": "no"}}, ["work.cancel"]),
    "post /api/v1/work-orders/{order}/comments": (_given, {"json": {"text": "hm"}}, ["work.comment"]),
    "post /api/v1/work-orders/{order}/photos": (
        _given,
        {"content": work_builders.photo_file(), "headers": {"Content-Type": "image/png"}},
        ["work.add-photo"],
    ),
    "post /api/v1/maintenance/{window}/end": (_window, {}, ["maintenance.cancel"]),
    "post /api/v1/maintenance-plans": (_device, {"json": AGAIN}, ["maintenance-plan.add"]),
    "post /api/v1/maintenance-plans/{plan}/end": (_plan, {}, ["maintenance-plan.end"]),
    "post /api/v1/work-plans": (_device, {"json": OFTEN}, ["work-plan.add"]),
    "post /api/v1/work-plans/{work_plan}/end": (_work_plan, {}, ["work-plan.end"]),
    "put /api/v1/sla": (_town, {"json": TARGET}, ["sla.set"]),
    "delete /api/v1/sla": (_target, {"params": {"severity": "major"}}, ["sla.drop"]),
    "put /api/v1/municipalities/{municipality}/open-data": (
        _town,
        {"json": {"licence": "CC-BY-4.0"}},
        ["open-data.publish"],
    ),
    "delete /api/v1/municipalities/{municipality}/open-data": (
        _published_town,
        {},
        ["open-data.withdraw"],
    ),
    "put /api/v1/municipalities/{municipality}/calendar": (
        _town,
        {"json": {"hours": {"mon": "08:00-14:00"}}},
        ["calendar.hours"],
    ),
    "put /api/v1/municipalities/{municipality}/calendar/days/{day}": (
        _town,
        {"json": {"working": False, "name": "Eid"}},
        ["calendar.day"],
    ),
    "delete /api/v1/municipalities/{municipality}/calendar/days/{day}": (
        _calendar_day,
        {},
        ["calendar.day"],
    ),
    "put /api/v1/municipalities/{municipality}/calendar/ramadan/{year}": (
        _town,
        {"json": {"first": "2026-02-18", "last": "2026-03-19"}},
        ["calendar.ramadan"],
    ),
    "delete /api/v1/municipalities/{municipality}/calendar/ramadan/{year}": (
        _ramadan,
        {},
        ["calendar.ramadan"],
    ),
    "put /api/v1/municipalities/{municipality}/work-by-rule": (
        _town,
        {"json": {"on": True}},
        ["work.by-rule"],
    ),
    "post /api/v1/silences": (_device, {"json": PLANNED}, ["silence.add"]),
    "post /api/v1/silences/{silence}/end": (_silence, {}, ["silence.end"]),
}

"""By operation: what must be there, the request, and what the audit must have.

NAME is another each time, ROW the number of what is there.
"""
