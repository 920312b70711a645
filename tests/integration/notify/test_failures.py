"""What becomes of messages where channels, people, processes and databases fail."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from alerts import events
from devices.instants import to_datetime
from devices.registry.registry import get_device
from notify.facts import EscalationStep
from notify.message import Undelivered
from notify.outbox import attempts, channel_health, news, ownership
from notify.outbox.ownership import Leader, NotLeader
from rules.explain.sentence import sentence
from tests.integration.api import builders
from tests.integration.notify.scene import Scene, fire


async def _resolve(scene: Scene, name: str) -> None:
    await builders.resolve(scene.connection, await get_device(scene.connection, name))


async def _in_a_second(scene: Scene) -> None:
    """Show that an attempt waits for whoever is just taking the lead."""
    scene.sender.planned.set()
    try:
        async with scene.pool.acquire() as connection:
            await connection.execute("SET lock_timeout = '100ms'")
            await ownership.still(connection, scene.leader.owner)
    except asyncpg.LockNotAvailableError as error:
        raise NotLeader from error


async def test_what_was_sent_by_a_process_that_died_is_sent_again_and_its_end_too(scene: Scene) -> None:
    alert = await fire(scene.connection, "bin-1")
    await scene.follow()
    await scene.sender.turn()
    await scene.sender.finish()  # handed over, and killed before that was recorded
    await _resolve(scene, "bin-1")

    scene.sender = scene.new_sender()
    await scene.lead()
    await scene.turn()
    await scene.turn(1)

    assert scene.told() == [
        ("amal", "opened", (alert,)),
        ("amal", "opened", (alert,)),
        ("amal", "resolved", (alert,)),
    ]
    ids = [message.id for _, message in scene.channels["ntfy"].sent]
    assert ids[0] == ids[1]
    assert await scene.connection.fetchval("SELECT count(*) FROM delivery WHERE ambiguous") == 1


@pytest.mark.parametrize("doubtful", [True, False])
async def test_who_may_have_got_a_message_that_was_not_answered_hears_the_end(
    scene: Scene, doubtful: bool
) -> None:
    scene.channels["ntfy"].fails["amal"] = Undelivered("no answer within 10 s", may_have_arrived=doubtful)
    alert = await fire(scene.connection, "bin-1")
    await scene.turn()
    scene.channels["ntfy"].fails.clear()

    await _resolve(scene, "bin-1")
    await scene.turn()

    assert scene.told() == ([("amal", "resolved", (alert,))] if doubtful else [])
    assert ("ntfy", "not-needed") in await scene.states()


@pytest.mark.parametrize("answer", [Undelivered("no such topic", permanent=True), None])
async def test_a_refusal_tries_the_next_address_at_once(scene: Scene, answer: Undelivered | None) -> None:
    [amal, _] = scene.routing.ways
    scene.routing.ways = {**scene.routing.ways, amal: [("ntfy", "amal", 0.0), ("sms", "+961", 300.0)]}
    if answer:
        scene.channels["ntfy"].fails["amal"] = answer
    alert = await fire(scene.connection, "bin-1")

    await scene.turn()
    await scene.turn(1)

    assert scene.told("sms") == ([("+961", "opened", (alert,))] if answer else [])
    assert (await scene.states())[0] == ("ntfy", "refused" if answer else "delivered")


async def test_where_nobody_of_a_step_can_be_reached_the_next_is_told_at_once(scene: Scene) -> None:
    scene.channels["ntfy"].fails["amal"] = Undelivered("no such topic", permanent=True)
    alert = await fire(scene.connection, "bin-1")

    await scene.turn()
    await scene.turn(1)

    assert scene.told() == [("chief", "reminder", (alert,))]


async def test_where_nobody_can_be_told_the_next_step_is_due_and_after_the_last_it_says_so(
    scene: Scene,
) -> None:
    [amal, chief] = scene.routing.ways
    scene.routing.ways = {amal: [], chief: [("ntfy", "chief", 0.0)]}
    alert = await fire(scene.connection, "bin-1")
    await scene.turn()
    assert scene.told() == [("chief", "opened", (alert,))]

    scene.routing.ways = {amal: [], chief: []}
    later = await fire(scene.connection, "bin-2")
    await scene.turn()
    waits = "SELECT waits_for FROM escalation WHERE alert_id = $1"
    assert await scene.connection.fetchval(waits, later) == "nobody"

    scene.routing.ways = {amal: [], chief: [("ntfy", "chief", 0.0)]}
    await scene.turn(60)
    assert scene.told()[1:] == [("chief", "opened", (later,))]
    assert await scene.connection.fetchval(waits, later) is None


async def test_an_alert_that_cannot_be_written_is_refused_and_holds_up_no_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, names: dict[str, Any], **more: Any) -> object:
        if "bin-1" in names["device"].values():
            raise ValueError("nobody thought of that")
        return sentence(*args, names=names, **more)

    monkeypatch.setattr(news, "sentence", broken)
    await fire(scene.connection, "bin-1")
    alert = await fire(scene.connection, "bin-2")

    await scene.turn()

    assert scene.told() == [("amal", "opened", (alert,))]
    assert ("ntfy", "refused") in await scene.states()


async def test_a_failure_is_tried_again_with_the_same_id_and_holds_up_nobody_else(scene: Scene) -> None:
    scene.channels["ntfy"].fails["amal"] = Undelivered("503", retry_after_s=20.0)
    [amal, chief] = scene.routing.ways
    scene.routing.steps = [EscalationStep(after_s=0, receivers=(f"person:{amal}", f"person:{chief}"))]
    alert = await fire(scene.connection, "bin-1")
    await scene.turn()
    assert scene.told() == [("chief", "opened", (alert,))]

    scene.channels["ntfy"].fails.clear()
    await scene.turn(19)
    assert len(scene.told()) == 1
    await scene.turn(1)
    assert scene.told()[1:] == [("amal", "opened", (alert,))]
    made = await scene.connection.fetch("SELECT number, answer FROM delivery_attempt ORDER BY began_at")
    assert {(row["number"], row["answer"]) for row in made} == {
        (1, "503"),
        (1, "200 OK"),
        (2, "200 OK"),
    }


async def test_once_a_channel_works_again_everything_that_failed_is_tried_at_once(scene: Scene) -> None:
    scene.channels["ntfy"].fails["amal"] = Undelivered("503", retry_after_s=900.0)
    first = await fire(scene.connection, "bin-1")
    await scene.turn()
    [state] = await channel_health.health(scene.connection, scene.now)
    assert (state.answer, state.failing_since, state.waiting) == ("503", to_datetime(scene.now), 1)

    scene.channels["ntfy"].fails.clear()
    second = await fire(scene.connection, "bin-2")
    await scene.turn(60)

    assert scene.told() == [("amal", "opened", (second,)), ("amal", "opened", (first,))]
    [state] = await channel_health.health(scene.connection, scene.now)
    assert (state.answer, state.failing_since, state.waiting) == ("200 OK", None, 0)


@pytest.mark.parametrize(("asked_s", "failing_s"), [(600.0, 59.0), (3600.0, 61.0)])
async def test_what_one_service_put_off_stays_so_while_others_of_its_channel_work(
    scene: Scene, asked_s: float, failing_s: float
) -> None:
    scene.channels["ntfy"].fails["amal"] = Undelivered("429", retry_after_s=asked_s)
    [_, chief] = scene.routing.ways
    await fire(scene.connection, "bin-1")
    await scene.turn()
    scene.channels["ntfy"].fails.clear()
    scene.routing.steps = [EscalationStep(after_s=0, receivers=(f"person:{chief}",))]
    other = await fire(scene.connection, "bin-2")

    await scene.turn(failing_s)
    await scene.turn(1)

    assert scene.told() == [("chief", "opened", (other,))]


async def test_administrators_are_told_once_by_another_channel_that_one_fails(scene: Scene) -> None:
    scene.channels["ntfy"].fails["amal"] = Undelivered("503")
    [_, chief] = scene.routing.ways
    scene.routing.admins = [chief]
    scene.routing.ways = {**scene.routing.ways, chief: [("ntfy", "chief", 0.0), ("sms", "+961", 300.0)]}
    await fire(scene.connection, "bin-1")
    await scene.turn()

    for minutes, expected in ((4, 0), (1, 1), (1, 0)):
        scene.now += minutes * 60_000_000
        working = scene.channels.keys()
        told = await channel_health.tell_of_failing(scene.connection, scene.routing, working, scene.now)
        assert told == expected
    await scene.send()

    assert [(to, m.occasion) for to, m in scene.channels["sms"].sent] == [("+961", None)]
    assert "ntfy" in scene.channels["sms"].sent[0][1].subject


async def test_administrators_hear_of_a_channel_that_failed_with_all_others_once_one_works(
    scene: Scene,
) -> None:
    [_, chief] = scene.routing.ways
    scene.routing.admins = [chief]
    scene.routing.ways = {chief: [("sms", "+961", 0.0)]}
    for channel in ("ntfy", "sms"):
        fails = "INSERT INTO channel_state VALUES ($1, $2, '503', $2)"
        await scene.connection.execute(fails, channel, to_datetime(scene.now - 600_000_000))

    def telling() -> Awaitable[int]:
        working = scene.channels.keys()
        return channel_health.tell_of_failing(scene.connection, scene.routing, working, scene.now)

    assert await telling() == 0
    await scene.connection.execute("UPDATE channel_state SET failing_since = NULL WHERE channel = 'sms'")
    assert [await telling(), await telling()] == [1, 0]


async def test_a_channel_that_is_not_set_up_is_refused_and_the_next_tried(scene: Scene) -> None:
    [amal, _] = scene.routing.ways
    scene.routing.ways = {**scene.routing.ways, amal: [("fax", "amal", 0.0), ("sms", "+961", 300.0)]}
    alert = await fire(scene.connection, "bin-1")
    await scene.turn()

    await attempts.refuse_unknown(scene.connection, list(scene.channels), scene.now)
    await scene.turn()

    assert scene.told("sms") == [("+961", "opened", (alert,))]
    assert (await scene.states())[0] == ("fax", "refused")


async def test_who_lost_the_lead_writes_and_sends_nothing(scene: Scene, dsn: str) -> None:
    await fire(scene.connection, "bin-1")
    await scene.follow()
    other = Leader(owner=uuid4())
    await scene.connection.execute("DELETE FROM nabd_holder")
    async with scene.pool.acquire() as connection, connection.transaction():
        assert await ownership.claim(connection, other, scene.now)

        with pytest.raises(NotLeader):
            await _in_a_second(scene)

    with pytest.raises(NotLeader):
        await scene.sender.turn()
    with pytest.raises(NotLeader):
        await scene.follow()
    assert scene.told() == []


async def test_after_a_restore_into_another_cluster_what_is_new_is_told_and_nothing_twice(
    scene: Scene,
) -> None:
    told = [await fire(scene.connection, name) for name in ("bin-1", "bin-2")]
    await scene.turn()
    unread = await fire(scene.connection, "bin-3")
    # As after pg_restore: numbers of a cluster that has counted further, in an order of its own.
    await scene.connection.execute("UPDATE transition SET xid = (9000000000 - id)::text::xid8")
    await scene.connection.execute("UPDATE transition SET xid = '9100000000' WHERE alert_id = $1", unread)
    await scene.connection.execute(
        "UPDATE notifier SET (xid, event_id) = ("
        "SELECT xid, id FROM transition WHERE alert_id = $1 ORDER BY xid DESC LIMIT 1)",
        told[0],
    )
    await scene.lead()
    new = await fire(scene.connection, "bin-4")

    await scene.turn()

    assert sorted(alert for _, _, alerts in scene.told() for alert in alerts) == [*told, unread, new]
    assert await events.latest_cursor(scene.connection) == scene.leader.cursor
    before = scene.leader.cursor
    await scene.lead()
    assert scene.leader.cursor == before
