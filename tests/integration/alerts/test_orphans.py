"""Alerts that nobody would ever end: of retired devices and of withdrawn rules, whatever opened them."""

from __future__ import annotations

import asyncpg
import pytest

from alerts.events import AlertEvent, events_after
from alerts.orphans import end_orphans
from alerts.queue import list_alerts
from alerts.record import record
from alerts.severities import move_severities
from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_datetime
from tests.integration.rules.town import MINUTE, NOON, add_device, add_rule

LATER = NOON + 30 * MINUTE


async def open_alert(connection: asyncpg.Connection, rule: str, device: int) -> None:
    transition = Transition(
        rule=rule,
        version=1,
        device_id=device,
        from_state=ConditionState.PENDING,
        to_state=ConditionState.FIRING,
        severity=Severity.MAJOR,
        observed_at=NOON,
        received_at=NOON,
    )
    assert await record(connection, [transition], lambda _: {"en": "open"}, NOON) == 1


async def endings(connection: asyncpg.Connection) -> list[AlertEvent]:
    return [e for e in await events_after(connection) if e.type == "resolved"]


@pytest.mark.parametrize("family", ["stream", "silent", "children_down"])
async def test_alert_of_a_withdrawn_rule_ends_now_and_once(
    connection: asyncpg.Connection, family: str
) -> None:
    await add_rule(connection, "old", family)
    await add_rule(connection, "kept", family)
    device = await add_device(connection, "B-1")
    await open_alert(connection, "old", device)
    await open_alert(connection, "kept", device)
    await connection.execute("UPDATE rule SET active = false WHERE id = 'old'")

    assert await end_orphans(connection, LATER) == 1
    assert await end_orphans(connection, LATER + MINUTE) == 0

    assert [a.rule for a in await list_alerts(connection, state="firing")] == ["kept"]
    (ended,) = await endings(connection)
    assert (ended.rule, ended.evidence) == ("old", {"condition": "the rule was withdrawn"})
    assert (ended.observed_at, ended.received_at, ended.at) == (to_datetime(LATER),) * 3


@pytest.mark.parametrize("family", ["stream", "silent", "children_down"])
async def test_alert_of_a_retired_device_ends_with_the_reason_when_it_was_retired(
    connection: asyncpg.Connection, family: str
) -> None:
    await add_rule(connection, "rule", family)
    for name, retired in (("B-1", 10), ("B-2", -10)):
        await open_alert(connection, "rule", await add_device(connection, name))
        await connection.execute(
            "UPDATE device SET retired_at = $1, retired_reason = 'sold' WHERE name = $2",
            to_datetime(NOON + retired * MINUTE),
            name,
        )

    assert await end_orphans(connection, LATER) == 2

    ended = await endings(connection)
    assert {e.device: e.observed_at for e in ended} == {
        "B-1": to_datetime(NOON + 10 * MINUTE),
        "B-2": to_datetime(NOON),  # opened after it was retired: no alert ends before it began
    }
    assert all(e.evidence == {"condition": "the device was retired", "reason": "sold"} for e in ended)
    assert {e.severity for e in ended} == {Severity.MAJOR}


@pytest.mark.parametrize("family", ["stream", "silent"])
async def test_alert_ends_when_the_rule_is_for_another_kind_now(
    connection: asyncpg.Connection, family: str
) -> None:
    await add_rule(connection, "rule", family)
    await add_rule(connection, "any", family)
    device = await add_device(connection, "B-1")
    await open_alert(connection, "rule", device)
    await open_alert(connection, "any", device)
    await connection.execute("UPDATE rule SET kind = NULL WHERE id = 'any'")
    await connection.execute("UPDATE rule SET kind = 'light' WHERE id = 'rule'")

    assert await end_orphans(connection, LATER) == 1

    (ended,) = await endings(connection)
    assert (ended.rule, ended.evidence) == (
        "rule",
        {"condition": "the rule is for another kind than the device"},
    )


@pytest.mark.parametrize(
    ("severities", "after"),
    [
        (["warning", "minor"], "minor"),
        (["critical"], "critical"),
        (["warning", "critical"], "warning"),
        (["major", "critical"], "major"),
        ([], "major"),
    ],
)
async def test_alert_gets_a_severity_that_its_rule_can_give(
    connection: asyncpg.Connection, severities: list[str], after: str
) -> None:
    await add_rule(connection, "rule", "stream")
    await open_alert(connection, "rule", await add_device(connection, "B-1"))
    await connection.execute("UPDATE rule SET severities = $1", severities)

    moved = await move_severities(connection, LATER)

    assert moved == (after != "major")
    assert await move_severities(connection, LATER) == 0
    (alert,) = await list_alerts(connection, state="firing")
    assert alert.severity == after
    told = [e for e in await events_after(connection) if e.type not in ("opened", "resolved")]
    assert [e.severity for e in told] == [after] * moved
