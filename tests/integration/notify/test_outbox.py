"""From what happens to alerts to what people get, by the real tables and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from alerts import events
from alerts.acknowledgement import acknowledge, withdraw
from alerts.transition import Severity
from devices.instants import to_datetime
from devices.registry.registry import get_device
from notify.facts import EscalationStep
from notify.message import Undelivered
from notify.outbox import attempts, channel_health, news, ownership
from notify.outbox.ownership import Leader, NotLeader
from rules.explain.sentence import sentence
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.notify.scene import Scene, fire

MINUTE = 60.0


async def _resolve(scene: Scene, name: str) -> None:
    await builders.resolve(scene.connection, await get_device(scene.connection, name))


async def test_an_alert_is_told_step_by_step_until_somebody_acknowledges(scene: Scene) -> None:
    scene.routing.repeat_s = 600.0
    alert = await fire(scene.connection, "bin-1")

    await scene.turn()
    assert scene.told() == [("amal", "opened", (alert,))]
    await scene.turn(5 * MINUTE - 1)
    assert len(scene.told()) == 1
    await scene.turn(1)
    await scene.turn(10 * MINUTE)
    assert scene.told()[1:] == [("chief", "reminder", (alert,))] * 2

    await acknowledge(scene.connection, [alert], by=PLATFORM, now=scene.now)
    await scene.turn(60 * MINUTE)
    assert len(scene.told()) == 3
    await withdraw(scene.connection, [alert], by=PLATFORM, now=scene.now)
    await scene.turn()
    assert scene.told()[3:] == [("chief", "reminder", (alert,))]


async def test_the_message_says_what_the_alert_says(scene: Scene) -> None:
    await fire(scene.connection, "bin-1")

    await scene.turn()

    [(_, message)] = scene.channels["ntfy"].sent
    [news] = message.news
    assert (message.text, news.place, news.late_s) == (f"opened {news.alert} bin-1 is full", "bin-1", None)
    assert message.thread == f"alert-{news.alert}"


async def test_the_end_is_told_to_exactly_those_who_were_told_the_beginning(scene: Scene) -> None:
    alert = await fire(scene.connection, "bin-1")
    await scene.turn()
    scene.silenced[alert] = scene.now + 3600_000_000

    await _resolve(scene, "bin-1")
    await scene.turn()
    await scene.turn(10 * MINUTE)

    assert scene.told() == [("amal", "opened", (alert,)), ("amal", "resolved", (alert,))]


async def test_an_end_before_the_beginning_was_sent_makes_both_needless(scene: Scene) -> None:
    await fire(scene.connection, "bin-1")
    await scene.follow()
    await _resolve(scene, "bin-1")

    await scene.turn()

    assert scene.told() == []
    assert await scene.states() == [("ntfy", "not-needed")]


async def test_an_end_while_the_beginning_is_being_sent_is_told_after_it(scene: Scene) -> None:
    alert = await fire(scene.connection, "bin-1")
    await scene.follow()
    await scene.sender.turn()  # under way: neither answered nor recorded
    await _resolve(scene, "bin-1")
    await scene.follow()
    assert await scene.states() == [("ntfy", "sending")]

    await scene.sender.finish()
    await scene.sender.record()
    await scene.turn(1)

    assert scene.told() == [("amal", "opened", (alert,)), ("amal", "resolved", (alert,))]


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


async def test_acknowledged_before_it_was_sent_is_not_needed(scene: Scene) -> None:
    alert = await fire(scene.connection, "bin-1")
    await scene.follow()
    await acknowledge(scene.connection, [alert], by=PLATFORM, now=scene.now)

    await scene.turn()
    await _resolve(scene, "bin-1")
    await scene.turn(10 * MINUTE)

    assert (scene.told(), await scene.states()) == ([], [("ntfy", "not-needed")])


async def test_the_first_of_a_group_goes_at_once_and_the_others_as_one_digest(scene: Scene) -> None:
    scene.routing.group_for_s = 30.0
    first = await fire(scene.connection, "bin-1")
    await scene.turn()
    others = [await fire(scene.connection, f"bin-{n}") for n in range(2, 5)]
    await scene.turn(1)
    others.append(await fire(scene.connection, "bin-5"))
    await scene.turn(1)
    assert scene.told() == [("amal", "opened", (first,))]

    await _resolve(scene, "bin-3")
    await scene.turn(28)
    assert scene.told()[1:] == [("amal", "opened", (others[0], others[2], others[3]))]

    for n in (1, 2, 4, 5):
        await _resolve(scene, f"bin-{n}")
    await scene.turn(1)
    await scene.turn(30)
    assert scene.told()[2:] == [
        ("amal", "resolved", (first,)),
        ("amal", "resolved", (others[0], others[2], others[3])),
    ]


async def test_the_next_step_does_not_overtake_a_digest(scene: Scene) -> None:
    scene.routing.group_for_s = 600.0
    first, second = [await fire(scene.connection, f"bin-{n}") for n in (1, 2)]
    await scene.turn()
    await acknowledge(scene.connection, [first], by=PLATFORM, now=scene.now)
    await scene.turn(5 * MINUTE)
    await scene.turn(5 * MINUTE)

    assert scene.told() == [("amal", "opened", (first,)), ("amal", "opened", (second,))]
    await scene.turn(5 * MINUTE)
    assert scene.told()[2:] == [("chief", "reminder", (second,))]


async def test_silenced_is_told_when_the_silence_ends_if_it_is_still_open(scene: Scene) -> None:
    alert, over = [await fire(scene.connection, f"bin-{n}") for n in (1, 2)]
    scene.silenced = {alert: scene.now + 60_000_000, over: scene.now + 60_000_000}
    await scene.turn()
    await _resolve(scene, "bin-2")
    await scene.turn(59)
    assert scene.told() == []

    await scene.turn(1)

    assert scene.told() == [("amal", "opened", (alert,))]


async def test_a_silence_puts_off_what_is_planned_and_its_early_end_is_seen(scene: Scene) -> None:
    [amal, _] = scene.routing.ways
    scene.routing.steps = [EscalationStep(after_s=0, receivers=(f"person:{amal}",))]
    scene.routing.ways = {amal: [("ntfy", "amal", 0.0), ("sms", "+961", 300.0)]}
    alert = await fire(scene.connection, "bin-1")
    await scene.turn()
    waiting = await fire(scene.connection, "bin-2")
    scene.silenced = dict.fromkeys((alert, waiting), scene.now + 3600_000_000)
    await scene.turn(5 * MINUTE)
    assert (scene.told(), scene.told("sms")) == ([("amal", "opened", (alert,))], [])
    assert await scene.connection.fetchval("SELECT count(*) FROM delivery_attempt") == 1

    scene.silenced = {}
    ended = """
    INSERT INTO silence (rule, from_at, until_at, reason, author_id, created_at, ended_at, ender_id)
    SELECT 'bin-overflow', $1::timestamptz, $1::timestamptz + interval '1 hour', 'test', $2, $1, $1, $2
    """
    await scene.connection.execute(ended, to_datetime(scene.now), amal)
    await scene.turn(1)

    assert scene.told() == [("amal", "opened", (alert,)), ("amal", "opened", (waiting,))]
    assert scene.told("sms") == [("+961", "opened", (alert,))]


async def test_what_a_parent_may_explain_is_told_when_it_has_settled_unless_it_is_explained(
    scene: Scene,
) -> None:
    alert, child = [await fire(scene.connection, f"bin-{n}") for n in (1, 2)]
    parent = await fire(scene.connection, "bin-3", rule="circuit-down")
    hold = "UPDATE alert SET held_until = $2 WHERE id = ANY($1)"
    await scene.connection.execute(hold, [alert, child], to_datetime(scene.now) + timedelta(seconds=90))
    await scene.turn()
    assert scene.told() == [("amal", "opened", (parent,))]
    await scene.connection.execute("UPDATE alert SET inhibited_by = $2 WHERE id = $1", child, parent)

    await scene.turn(90)

    assert scene.told()[1:] == [("amal", "opened", (alert,))]
    surface = """
    WITH free AS (UPDATE alert SET inhibited_by = NULL WHERE id = $1)
    INSERT INTO alert_note (alert_id, type, created_at) VALUES ($1, 'surfaced', now())
    """
    await scene.connection.execute(surface, child)
    await scene.turn()
    assert scene.told()[2:] == [("amal", "opened", (child,))]


async def test_a_backlog_waits_for_its_device_is_told_if_open_and_says_how_late(scene: Scene) -> None:
    alert = await fire(scene.connection, "bin-1", ago_s=7200)
    await fire(scene.connection, "bin-2", ago_s=7200)
    for name in ("bin-1", "bin-2"):
        device = await get_device(scene.connection, name)
        await builders.report(scene.connection, device, at=builders.NOON, fill_pct=90.0)
    behind = "UPDATE latest SET observed_at = received_at - interval '1 hour'"
    await scene.connection.execute(behind)
    await scene.turn()
    await _resolve(scene, "bin-2")
    await scene.turn(30)
    assert scene.told() == []

    await scene.turn(30)  # nothing came for a minute

    assert scene.told() == [("amal", "opened", (alert,))]
    assert scene.channels["ntfy"].sent[0][1].news[0].late_s == 7260.0


async def test_what_a_route_waits_for_is_not_called_late(scene: Scene) -> None:
    amal = next(iter(scene.routing.ways))
    scene.routing.steps = [EscalationStep(after_s=900, receivers=(f"person:{amal}",))]
    await fire(scene.connection, "bin-1")
    await scene.turn()

    await scene.turn(900)

    assert scene.channels["ntfy"].sent[0][1].news[0].late_s is None


async def test_what_a_replay_made_is_never_told(scene: Scene) -> None:
    received_at = builders.NOON - timedelta(hours=1)
    quarantined = """
    INSERT INTO rejection
        (shard, batch, received_at, topic, device, reason, pointer, detail, payload, replayed_at)
    VALUES ('main', 1, $1, 't', 'bin-1', 'unknown-device', '', '', '', $1)
    """
    await scene.connection.execute(quarantined, received_at)
    await fire(scene.connection, "bin-1", ago_s=3600)
    await scene.connection.execute("UPDATE transition SET detected_at = $1", builders.NOON)

    await scene.turn()
    await _resolve(scene, "bin-1")
    await scene.turn()

    assert scene.told() == []


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
    def broken(*args: Any, names: dict[str, str], **more: Any) -> object:
        if names["device"] == "bin-1":
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


async def test_who_was_deactivated_gets_nothing_more(scene: Scene) -> None:
    await fire(scene.connection, "bin-1")
    await scene.follow()
    await scene.connection.execute("UPDATE person SET disabled_at = now() WHERE name = 'amal'")

    await scene.send()

    assert (scene.told(), await scene.states()) == ([], [("ntfy", "not-needed")])


async def test_worse_is_told_anew(scene: Scene) -> None:
    alert = await fire(scene.connection, "bin-1", severity=Severity.MINOR)
    await scene.turn()
    await scene.connection.execute("UPDATE alert SET severity = 'critical'")
    await scene.connection.execute(
        """
        INSERT INTO transition
            (alert_id, from_state, to_state, severity, observed_at, received_at, detected_at, evidence)
        SELECT alert_id, 'firing', 'firing', 'critical', observed_at, received_at, detected_at, '{}'
        FROM transition
        """
    )

    await scene.turn()

    assert scene.told()[1:] == [("amal", "worse", (alert,))]


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


async def _in_a_second(scene: Scene) -> None:
    """Show that an attempt waits for whoever is just taking the lead."""
    scene.sender.planned.set()
    try:
        async with scene.pool.acquire() as connection:
            await connection.execute("SET lock_timeout = '100ms'")
            await ownership.still(connection, scene.leader.owner)
    except asyncpg.LockNotAvailableError as error:
        raise NotLeader from error


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
