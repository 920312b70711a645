"""Acknowledgements of many, taken back, lapsed."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from alerts import acknowledgement, events, queue
from alerts.acknowledgement import Acknowledgements, acknowledge, lapse, withdraw
from alerts.assignment import assign
from alerts.record import record
from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_microseconds
from devices.registry.registry import get_device
from people.editing import NewPerson, add_person, delete_person, disable_person
from people.identity import of_texts
from store.audit import PLATFORM
from tests.integration.api import builders

NOW = builders.now()
HOUR_US = 3_600_000_000


async def _fire(connection: asyncpg.Connection, name: str, severity: Severity = Severity.MAJOR) -> int:
    return await builders.fire(connection, await builders.add(connection, name), severity=severity)


async def _change(connection: asyncpg.Connection, alert_id: int, severity: Severity) -> None:
    device = await connection.fetchval("SELECT device_id FROM alert WHERE id = $1", alert_id)
    transition = Transition(
        rule="bin-overflow",
        version=1,
        device_id=device,
        from_state=ConditionState.FIRING,
        to_state=ConditionState.FIRING,
        severity=severity,
        observed_at=NOW,
        received_at=NOW,
    )
    await record(connection, [transition], lambda _: {"en": "worse"}, NOW)


async def _notes(connection: asyncpg.Connection, alert_id: int) -> list[tuple[str, str | None]]:
    return [(e.type.value, e.body) for e in await events.history(connection, alert_id) if e.evidence is None]


async def test_many_are_acknowledged_at_once_and_each_is_accounted_for(
    connection: asyncpg.Connection,
) -> None:
    first, second, third = [await _fire(connection, f"bin-{i}") for i in range(3)]
    await acknowledge(connection, [second], by=PLATFORM, now=NOW)

    done = await acknowledge(connection, [third, first, second, 999, first], by=PLATFORM, now=NOW)

    assert done == Acknowledgements(changed=[first, third], unchanged=[second], unknown=[999])
    assert [a.acknowledged_by is not None for a in await queue.list_alerts(connection)] == [True] * 3


async def test_undo_takes_back_what_was_changed_and_nothing_else(connection: asyncpg.Connection) -> None:
    first, second = [await _fire(connection, f"bin-{i}") for i in range(2)]
    await acknowledge(connection, [second], by=PLATFORM, now=NOW)
    done = await acknowledge(connection, [first, second], by=PLATFORM, now=NOW)

    undone = await withdraw(connection, done.changed, by=PLATFORM, now=NOW)

    assert undone.changed == [first]
    shown = {a.id: a.acknowledged_at for a in await queue.list_alerts(connection)}
    assert shown[first] is None
    assert shown[second] is not None
    assert await _notes(connection, first) == [("acknowledged", ""), ("unacknowledged", "")]


async def test_each_change_is_in_the_audit_once(connection: asyncpg.Connection) -> None:
    alert = await _fire(connection, "bin-1")
    for _ in range(2):
        await acknowledge(connection, [alert], by=PLATFORM, now=NOW)
        await withdraw(connection, [alert], by=PLATFORM, now=NOW)
        await withdraw(connection, [alert], by=PLATFORM, now=NOW)

    actions = await connection.fetch("SELECT action FROM audit WHERE action LIKE 'alert.%' ORDER BY id")

    assert [row["action"] for row in actions] == ["alert.acknowledge", "alert.unacknowledge"] * 2


@pytest.mark.parametrize(
    ("after", "kept"), [(Severity.CRITICAL, False), (Severity.MINOR, True), (Severity.MAJOR, True)]
)
async def test_acknowledgement_ends_when_the_severity_rises(
    connection: asyncpg.Connection, after: Severity, kept: bool
) -> None:
    alert = await _fire(connection, "bin-1")
    await acknowledge(connection, [alert], by=PLATFORM, now=NOW)

    await _change(connection, alert, after)

    [shown] = await queue.list_alerts(connection)
    assert shown.severity is after
    assert (shown.acknowledged_at is not None) is kept
    lapsed = [] if kept else [("lapsed", acknowledgement.BY_SEVERITY)]
    assert await _notes(connection, alert) == [("acknowledged", ""), *lapsed]


async def test_old_acknowledgement_of_an_open_alert_lapses_by_its_severity(
    connection: asyncpg.Connection,
) -> None:
    critical = await _fire(connection, "bin-1", Severity.CRITICAL)
    minor = await _fire(connection, "bin-2", Severity.MINOR)
    ended = await _fire(connection, "bin-3", Severity.CRITICAL)
    await acknowledge(connection, [critical, minor, ended], by=PLATFORM, now=NOW)
    await builders.resolve(connection, await get_device(connection, "bin-3"))
    limits = {Severity.CRITICAL: 3600.0}

    assert await lapse(connection, limits, NOW + HOUR_US) == 0
    assert await lapse(connection, limits, NOW + HOUR_US + 1_000_000) == 1
    assert await lapse(connection, limits, NOW + 2 * HOUR_US) == 0
    assert await lapse(connection, {}, NOW + 20 * HOUR_US) == 0

    seen = {a.id: a.acknowledged_at for a in await queue.list_alerts(connection)}
    assert [seen[critical] is None, seen[minor] is None, seen[ended] is None] == [True, False, False]
    assert (await _notes(connection, critical))[-1] == ("lapsed", acknowledgement.BY_AGE)
    again = NOW + 3 * HOUR_US
    await acknowledge(connection, [critical], by=PLATFORM, now=again)
    assert await lapse(connection, limits, again + HOUR_US // 2) == 0
    assert to_microseconds(builders.NOON + timedelta(hours=3)) == again


async def test_acknowledgement_of_an_alert_that_is_assigned_does_not_lapse_by_age(
    connection: asyncpg.Connection,
) -> None:
    alerts = [await _fire(connection, f"bin-{i}") for i in range(3)]
    grants = sorted(of_texts(["technician@tripoli"]), key=str)
    for name, alert in zip(("rima", "sami", "amal"), alerts, strict=True):
        await add_person(connection, NewPerson(name=name, grants=grants), NOW, by=PLATFORM)
        await assign(connection, alert, name, by=PLATFORM, now=NOW)
    await acknowledge(connection, alerts, by=PLATFORM, now=NOW)
    await disable_person(connection, "sami", NOW, by=PLATFORM)
    await delete_person(connection, "amal", NOW, by=PLATFORM)

    assert await lapse(connection, {Severity.MAJOR: 3600.0}, NOW + 9 * HOUR_US) == 2

    seen = {a.id: (a.assigned_to, a.acknowledged_at is not None) for a in await queue.list_alerts(connection)}
    assert [seen[alert] for alert in alerts] == [("rima", True), (None, False), (None, False)]
    assert (await _notes(connection, alerts[2]))[0] == ("assigned", "")
    await _change(connection, alerts[0], Severity.CRITICAL)
    assert (await queue.get_alerts(connection, [alerts[0]]))[0].acknowledged_at is None
