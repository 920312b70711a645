"""Alerts in a real database: exactly once, acknowledged once, told in one order."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from alerts.acknowledgement import acknowledge
from alerts.events import EventType, events_after, history, latest_cursor
from alerts.queue import AlertNotFound, comment, get_alert, list_alerts
from alerts.record import record
from alerts.since import raised_since
from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_datetime
from tests.actors import actor
from tests.integration.rules.town import MINUTE, NOON, add_device, add_rule


def change(
    device: int, start: ConditionState, end: ConditionState, minute: int = 0, rule: str = "overflow"
) -> Transition:
    return Transition(
        rule=rule,
        version=1,
        device_id=device,
        from_state=start,
        to_state=end,
        severity=Severity.WARNING,
        observed_at=NOON + minute * MINUTE,
        received_at=NOON + minute * MINUTE,
        evidence={"values": {"fill_pct": 91.5}},
    )


def opened(device: int, minute: int = 0, rule: str = "overflow") -> Transition:
    return change(device, ConditionState.PENDING, ConditionState.FIRING, minute, rule)


def resolved(device: int, minute: int = 0) -> Transition:
    return change(device, ConditionState.FIRING, ConditionState.RESOLVED, minute)


def describe(transition: Transition) -> dict[str, str]:
    return {"en": f"device {transition.device_id}", "fr": "appareil", "ar": "جهاز"}


@pytest.fixture
async def device(connection: asyncpg.Connection) -> int:
    await add_rule(connection, "overflow")
    return await add_device(connection, "B-1")


async def test_alert_opens_once_when_the_same_transition_is_recorded_again(
    connection: asyncpg.Connection, device: int
) -> None:
    assert await record(connection, [opened(device)], describe, NOON) == 1
    assert await record(connection, [opened(device, 5)], describe, NOON) == 0

    (alert,) = await list_alerts(connection)

    assert alert.opened_at == to_datetime(NOON)
    assert alert.summary["ar"] == "جهاز"
    assert alert.evidence == {"values": {"fill_pct": 91.5}}
    assert (alert.device, alert.municipality, alert.state) == ("B-1", "tripoli", "firing")


async def test_record_keeps_the_order_when_one_batch_opens_resolves_and_opens_again(
    connection: asyncpg.Connection, device: int
) -> None:
    changes = [opened(device), resolved(device, 10), opened(device, 20)]

    assert await record(connection, changes, describe, NOON) == 3

    assert [a.state for a in await list_alerts(connection)] == ["firing", "resolved"]
    assert [e.type for e in await events_after(connection)] == ["opened", "resolved", "opened"]


async def test_record_raises_and_lowers_severity_when_the_level_changes(
    connection: asyncpg.Connection, device: int
) -> None:
    worse = change(device, ConditionState.FIRING, ConditionState.FIRING, 10)
    worse = Transition(**{n: getattr(worse, n) for n in worse.__slots__} | {"severity": Severity.CRITICAL})

    await record(connection, [opened(device), worse], describe, NOON)

    (alert,) = await list_alerts(connection, severity=Severity.CRITICAL)
    assert alert.opened_at == to_datetime(NOON)
    assert [e.type for e in await history(connection, alert.id)] == ["opened", "severity"]


async def test_resolve_leaves_no_trace_when_nothing_is_open(
    connection: asyncpg.Connection, device: int
) -> None:
    assert await record(connection, [resolved(device)], describe, NOON) == 0
    assert await events_after(connection) == []


async def test_acknowledge_keeps_the_first_person_when_two_press(
    connection: asyncpg.Connection, device: int
) -> None:
    await record(connection, [opened(device)], describe, NOON)
    (alert,) = await list_alerts(connection)

    await acknowledge(connection, [alert.id], by=await actor(connection, "samira"), now=NOON + MINUTE)
    await acknowledge(connection, [alert.id], by=await actor(connection, "omar"), now=NOON + 2 * MINUTE)
    again = await get_alert(connection, alert.id)

    assert again is not None
    assert (again.acknowledged_by, again.acknowledged_at) == ("samira", to_datetime(NOON + MINUTE))
    assert [e.type for e in await history(connection, alert.id)] == ["opened", "acknowledged"]


async def test_comment_is_told_with_its_author_when_asked_for_history(
    connection: asyncpg.Connection, device: int
) -> None:
    await record(connection, [opened(device)], describe, NOON)
    (alert,) = await list_alerts(connection)

    await comment(connection, alert.id, by=await actor(connection, "omar"), body="on my way", now=NOON)

    last = (await history(connection, alert.id))[-1]
    assert (last.type, last.author, last.body) == (EventType.COMMENT, "omar", "on my way")


async def test_alerts_say_not_found_when_the_id_is_unknown(connection: asyncpg.Connection) -> None:
    assert await get_alert(connection, 7) is None
    with pytest.raises(AlertNotFound):
        await comment(connection, 7, by=await actor(connection, "omar"), body="?", now=NOON)


async def test_list_pages_by_id_when_before_is_given(connection: asyncpg.Connection, device: int) -> None:
    changes = [opened(device), resolved(device, 1), opened(device, 2), resolved(device, 3)]
    await record(connection, changes, describe, NOON)

    newest = await list_alerts(connection, limit=1)
    older = await list_alerts(connection, before=newest[0].id)

    assert [a.opened_at for a in older] == [to_datetime(NOON)]
    assert await list_alerts(connection, state="firing") == []
    assert await list_alerts(connection, device="B-2") == []


async def test_open_alert_is_unknown_while_its_device_is_silent(
    connection: asyncpg.Connection, device: int
) -> None:
    await add_rule(connection, "unheard", family="silent")

    await record(connection, [opened(device), opened(device, rule="unheard")], describe, NOON)

    assert {a.rule: a.unknown for a in await list_alerts(connection)} == {"overflow": True, "unheard": False}


async def test_events_wait_for_an_older_transaction_that_is_still_running(
    pool: asyncpg.Pool, connection: asyncpg.Connection, device: int
) -> None:
    await add_rule(connection, "other")
    async with pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await record(slow, [opened(device, rule="other")], describe, NOON)
        await record(connection, [opened(device)], describe, NOON)

        assert await events_after(connection) == []
        await transaction.commit()

    first, second = await events_after(connection)
    assert (first.rule, second.rule) == ("other", "overflow")
    assert await events_after(connection, first.cursor) == [second]
    assert await latest_cursor(connection) == second.cursor


async def test_record_notifies_once_when_anything_is_new(
    connection: asyncpg.Connection, device: int, dsn: str
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(dsn)
    await listener.add_listener("nabd_alert", lambda *args: heard.put_nowait(str(args[2])))

    await record(connection, [], describe, NOON)
    await record(connection, [opened(device)], describe, NOON)
    async with asyncio.timeout(5):
        assert await heard.get() == "nabd_alert"
    await listener.close()

    assert heard.empty()


async def test_devices_that_raised_an_alert_since_an_instant_are_told_but_not_by_every_rule(
    connection: asyncpg.Connection, device: int
) -> None:
    other = await add_device(connection, "B-2")
    await add_rule(connection, "firmware-behind")
    at = NOON + 10 * MINUTE
    await record(connection, [opened(device, 10), opened(other, 10, "firmware-behind")], describe, at)
    before, after = to_datetime(at - MINUTE), to_datetime(at + MINUTE)

    assert await raised_since(connection, {device: before, other: before}) == {device, other}
    assert await raised_since(connection, {device: before, other: before}, but=("firmware-behind",)) == {
        device
    }
    assert await raised_since(connection, {device: after, other: before}, but=("firmware-behind",)) == set()
