"""From what happens to alerts to what people get, by the real tables and a clock that is set by hand."""

from __future__ import annotations

from datetime import timedelta

from alerts.acknowledgement import acknowledge, withdraw
from alerts.transition import Severity
from devices.instants import to_datetime
from devices.registry.registry import get_device
from notify.facts import EscalationStep
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
