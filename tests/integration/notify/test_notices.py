"""From what happens to work to what people get, and reports that come by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from alerts.assignment import assign
from devices.instants import to_datetime, to_microseconds
from devices.registry.errors import Conflict
from devices.registry.registry import get_device
from notify.facts import AlertFacts
from notify.message import NotificationMessage, Undelivered
from notify.notices import subscriptions
from notify.notices.writing import NoticeTexts
from notify.outbox import scheduled, work_events
from notify.outbox.ownership import NotLeader
from notify.outbox.planned import NoticeTopic
from people.audit.chains import heads
from people.editing import NewPerson, add_person
from people.identity import of_texts
from store.audit import PLATFORM, Actor
from tests.integration.api import builders
from tests.integration.notify.scene import NotedChannel, Scene, TableRouting, fire
from tests.integration.work.order_rows import add_order, happen

WEEKLY, HEADS = NoticeTopic.WEEKLY_REPORT, NoticeTopic.AUDIT_HEADS


@dataclass(slots=True, kw_only=True)
class NamedRouting(TableRouting):
    """Receivers by name, as routing finds them."""

    named: dict[str, list[int]]

    def people(self, receivers: Sequence[str], _facts: AlertFacts, _at: int) -> Sequence[int]:
        return list(dict.fromkeys(person for one in receivers for person in self.named.get(one, [])))


class Town:
    """Amal and Omar are technicians, Rima is an operator who reads French; all have ntfy, Amal SMS later."""

    def __init__(self, scene: Scene, routing: NamedRouting, people: dict[str, int]) -> None:
        self.scene, self.people, self.routing = scene, people, routing

    async def follow(self) -> None:
        """Read what happened to work, and send what is due."""
        scene = self.scene
        await work_events.advance(scene.connection, scene.leader.owner, self.routing, scene.now)
        await scene.send()

    def told(self, channel: str = "ntfy") -> list[tuple[str, str]]:
        """Return address and event of every message about work."""
        sent = self.scene.channels[channel].sent
        return [(to, message.work.event) for to, message in sent if message.work is not None]


async def _add(connection: asyncpg.Connection, name: str, role: str, **more: Any) -> int:
    new = NewPerson(name=name, grants=sorted(of_texts([role]), key=str), email=f"{name}@example.org", **more)
    return (await add_person(connection, new, builders.now(), by=PLATFORM)).id


@pytest.fixture
async def town(connection: asyncpg.Connection, pool: asyncpg.Pool) -> Town:
    await builders.add_town(connection)
    people = {
        "amal": await _add(connection, "amal", "technician@tripoli"),
        "omar": await _add(connection, "omar", "technician@tripoli"),
        "rima": await _add(connection, "rima", "operator@tripoli", language="fr"),
        "root": await _add(connection, "root", "admin"),
    }
    ways = {
        number: [("ntfy", name, 0.0), ("email", f"{name}@example.org", 0.0)]
        for name, number in people.items()
    }
    ways[people["amal"]] = [("ntfy", "amal", 0.0), ("sms", "+9613", 300.0)]
    routing = NamedRouting(
        steps=(),
        ways=ways,
        named={
            **{f"person:{name}": [number] for name, number in people.items()},
            "team:lights": [people["amal"], people["omar"]],
            "operators": [people["rima"]],
        },
    )
    names = ("ntfy", "sms", "email")
    scene = Scene(
        connection=connection,
        pool=pool,
        routing=routing,
        channels={name: NotedChannel(name=name) for name in names},
    )
    scene.sender.notices = NoticeTexts(pool=pool, kinds=builders.KINDS, now=lambda: scene.now)
    await scene.lead()
    return Town(scene, routing, people)


async def _order(town: Town, **more: Any) -> int:
    device = await builders.add(
        town.scene.connection,
        f"light-{len(more)}",
        kind="light",
        title="Corniche 12",
        titles={"fr": "Corniche nord 12"},
    )
    return await add_order(town.scene.connection, device, **{"title": "Change the lamp", **more})


async def _given(town: Town, name: str, author: str | None = "rima") -> int:
    person = town.people[name]
    order = await _order(town, assignee_id=person, state="assigned")
    by = town.people[author] if author else None
    await happen(town.scene.connection, order, "assigned", author=by, body={"assignee": person, "team": None})
    return order


async def test_whom_an_order_is_given_to_is_told_once_and_by_sms_unless_they_accept(town: Town) -> None:
    order = await _given(town, "amal")

    await town.follow()
    await town.follow()
    assert town.told() == [("amal", "assigned")]
    await happen(town.scene.connection, order, "accepted", author=town.people["amal"])
    await town.follow()
    town.scene.now += 301 * 1_000_000
    await town.follow()

    assert town.told("sms") == []
    [(_, message)] = town.scene.channels["ntfy"].sent
    assert "Change the lamp, Corniche 12" in message.subject
    states = await town.scene.states()
    assert states == [("ntfy", "delivered"), ("sms", "not-needed")]


async def test_who_does_not_answer_gets_the_sms_with_a_stable_id(town: Town) -> None:
    await _given(town, "amal")
    town.scene.channels["sms"].fails["+9613"] = Undelivered("busy")

    await town.follow()
    town.scene.now += 301 * 1_000_000
    await town.follow()
    town.scene.channels["sms"].fails.clear()
    town.scene.now += 60 * 1_000_000
    await town.follow()

    assert town.told("sms") == [("+9613", "assigned")]
    [(_, message)] = town.scene.channels["sms"].sent
    row = await town.scene.connection.fetchrow("SELECT id, attempts FROM delivery WHERE channel = 'sms'")
    assert row is not None
    assert (str(row["id"]), row["attempts"]) == (message.id, 2)


async def test_who_took_it_themselves_is_not_told(town: Town) -> None:
    await _given(town, "amal", author="amal")

    await town.follow()

    assert town.told() == []


async def test_each_of_a_team_is_told_and_of_a_missed_deadline_the_operators_too(
    town: Town, connection: asyncpg.Connection
) -> None:
    team: int = await connection.fetchval(
        "INSERT INTO team (name, created_at, updated_at) VALUES ('lights', now(), now()) RETURNING id"
    )
    for name in ("amal", "omar"):
        await connection.execute(
            "INSERT INTO team_member (team_id, person_id) VALUES ($1, $2)", team, town.people[name]
        )
    order = await _order(town, team_id=team, state="assigned")
    await happen(connection, order, "assigned", body={"assignee": None, "team": team})
    await town.follow()
    await happen(connection, order, "response-missed")
    await town.follow()

    assert sorted(town.told()[:2]) == [("amal", "assigned"), ("omar", "assigned")]
    assert sorted(town.told()[2:]) == [(name, "response-missed") for name in ("amal", "omar", "rima")]
    french = [m.subject for to, m in town.scene.channels["ntfy"].sent if to == "rima"]
    assert french[0].startswith("Pas accepté à temps, ordre de travail")
    assert french[0].endswith("Corniche nord 12")


async def test_many_orders_are_two_messages_to_a_person_and_each_is_one_to_a_program(
    town: Town, connection: asyncpg.Connection
) -> None:
    person, root = town.people["omar"], town.people["root"]
    town.routing.group_for_s = 60.0
    town.routing.ways = {**town.routing.ways, root: [("webhook", "root", 0.0)]}
    town.routing.named["person:omar"] = [person, root]
    device = await builders.add(connection, "light-1", kind="light")
    orders = [await add_order(connection, device, assignee_id=person, state="assigned") for _ in range(30)]
    for number, order in enumerate(orders):
        await happen(connection, order, "assigned", body={"assignee": person, "team": None})
        if number in (9, 19):
            await town.follow()
    await connection.execute("ALTER TABLE work_event DROP CONSTRAINT work_event_type_check")
    await happen(connection, orders[3], "failed-in-a-later-version")
    await connection.execute("UPDATE work_order SET state = 'accepted' WHERE id = $1", orders[4])
    await town.follow()
    town.scene.now += 61 * 1_000_000
    await town.follow()

    [(_, first), (_, digest)] = town.scene.channels["ntfy"].sent
    assert first.work is not None
    assert digest.subject == "Work orders for you: 28", "all but the first, and the one that is accepted"
    assert digest.text.count("light-1") == 20
    assert digest.text.endswith("and 8 more")
    programs = "SELECT count(*) FROM delivery WHERE channel = 'webhook' AND order_id IS NOT NULL"
    assert await connection.fetchval(programs) == 30


async def test_what_is_over_when_it_is_sent_again_is_not_told(
    town: Town, connection: asyncpg.Connection
) -> None:
    order = await _given(town, "omar")
    town.scene.channels["ntfy"].fails["omar"] = Undelivered("busy")
    await town.follow()
    await connection.execute("UPDATE work_order SET state = 'accepted' WHERE id = $1", order)
    town.scene.channels["ntfy"].fails.clear()
    town.scene.now += 60 * 1_000_000
    await town.scene.send()

    assert town.told() == []
    assert ("ntfy", "not-needed") in await town.scene.states()


async def test_who_drives_hears_that_the_order_is_somebody_elses(
    town: Town, connection: asyncpg.Connection
) -> None:
    order = await _given(town, "amal")
    await happen(
        connection, order, "accepted", author=town.people["amal"], body={"assignee": town.people["amal"]}
    )
    await town.follow()
    await connection.execute("UPDATE work_order SET assignee_id = $1", town.people["omar"])
    await happen(
        connection, order, "assigned", author=town.people["rima"], body={"assignee": town.people["omar"]}
    )
    await town.follow()
    town.scene.now += 600 * 1_000_000
    await town.follow()

    assert sorted(town.told()) == [("amal", "withdrawn"), ("omar", "assigned")]
    assert town.told("sms") == []


async def test_what_ended_meanwhile_is_not_told(town: Town, connection: asyncpg.Connection) -> None:
    order = await _given(town, "omar")
    await connection.execute("UPDATE work_order SET state = 'done', ended_at = now() WHERE id = $1", order)

    await town.follow()

    assert town.told() == []


async def test_who_lost_the_lead_plans_nothing(town: Town, connection: asyncpg.Connection) -> None:
    await _given(town, "omar")
    await connection.execute("UPDATE notifier SET owner = gen_random_uuid()")

    with pytest.raises(NotLeader):
        await town.follow()
    assert await connection.fetchval("SELECT count(*) FROM delivery") == 0


async def test_events_of_a_restored_database_are_not_told_again(
    town: Town, connection: asyncpg.Connection
) -> None:
    await _given(town, "omar")
    await town.follow()
    await connection.execute("UPDATE work_event SET xid = '900000000'")
    await connection.execute("UPDATE notifier SET work_xid = '900000000'")

    await work_events.put_first(connection)
    await town.follow()
    order = await _order(town, assignee_id=town.people["omar"], state="assigned", severity="minor")
    await happen(connection, order, "reopened")
    await town.follow()

    assert town.told() == [("omar", "assigned"), ("omar", "reopened")]


async def test_to_whom_an_alert_is_given_by_another_is_told_also_of_its_end(
    town: Town, connection: asyncpg.Connection
) -> None:
    rima = Actor(principal=town.people["rima"], address="")
    omar = Actor(principal=town.people["omar"], address="")
    given, taken = await fire(connection, "bin-1"), await fire(connection, "bin-2")
    town.scene.silenced[given] = town.scene.now + 10**12
    await assign(connection, given, "omar", by=rima, now=town.scene.now)
    await assign(connection, taken, "omar", by=omar, now=town.scene.now)

    await town.scene.turn()

    assert town.scene.told() == [("omar", "assigned", (given,))]
    await builders.resolve(connection, await get_device(connection, "bin-1"))
    await town.scene.turn()
    assert town.scene.told()[1:] == [("omar", "resolved", (given,))]


async def _sent(town: Town, now: datetime) -> list[tuple[str, NotificationMessage]]:
    """Return the e-mails that a moment brings."""
    scene = town.scene
    before = len(scene.channels["email"].sent)
    scene.now = to_microseconds(now)
    async with scene.connection.transaction():
        await scheduled.plan_due(scene.connection, town.routing, scene.now)
    await scene.send()
    return scene.channels["email"].sent[before:]


async def test_a_weekly_report_is_sent_once_on_monday_in_the_readers_language(
    town: Town, connection: asyncpg.Connection
) -> None:
    today = to_datetime(town.scene.now)
    monday = datetime(today.year, today.month, today.day, 5, tzinfo=UTC) + timedelta(days=7 - today.weekday())
    await subscriptions.subscribe(connection, "rima", WEEKLY, "tripoli", by=PLATFORM, now=town.scene.now)
    assert not await subscriptions.subscribe(
        connection, "rima", WEEKLY, "tripoli", by=PLATFORM, now=town.scene.now
    )

    early = await _sent(town, monday - timedelta(hours=2))
    sent = await _sent(town, monday + timedelta(hours=1))
    again = await _sent(town, monday + timedelta(days=3))
    late = await _sent(town, monday + timedelta(days=23))

    assert (early, again) == ([], [])
    [(to, message)] = sent
    assert to == "rima@example.org"
    assert message.subject.startswith("Tripoli : les travaux de la semaine")
    assert message.html is not None
    assert '<html lang="fr"' in message.html
    assert len(late) == 1, "three Mondays were missed: the last is told"


async def test_who_lost_their_role_gets_no_report(town: Town, connection: asyncpg.Connection) -> None:
    await subscriptions.subscribe(connection, "rima", WEEKLY, "tripoli", by=PLATFORM, now=town.scene.now)
    await connection.execute("DELETE FROM membership WHERE person_id = $1", town.people["rima"])

    assert await _sent(town, to_datetime(town.scene.now) + timedelta(days=14)) == []
    assert await connection.fetchval("SELECT state FROM delivery") == "refused"


async def test_heads_of_the_month_are_sent_as_lines_that_verify_reads(
    town: Town, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Their own steps name no e-mail: the report was asked for by it all the same.
    monkeypatch.setattr(NamedRouting, "contacts", lambda *_: [])
    await subscriptions.subscribe(connection, "root", HEADS, None, by=PLATFORM, now=town.scene.now)
    month = to_datetime(town.scene.now).date().replace(day=1)
    following = (month + timedelta(days=32)).replace(day=1)
    later = datetime(following.year, following.month, 1, 2, tzinfo=UTC)

    [(to, message)] = await _sent(town, later)

    kept = [head.head for head in await heads(connection) if head.month == month]
    assert to == "root@example.org"
    assert kept
    assert all(head in message.text for head in kept)
    assert await _sent(town, later + timedelta(days=5)) == []


async def test_a_report_is_only_for_who_may_read_it(town: Town, connection: asyncpg.Connection) -> None:
    for person, topic, municipality in (("rima", HEADS, "tripoli"), ("amal", HEADS, None)):
        with pytest.raises(Conflict, match="no role that reads it"):
            await subscriptions.subscribe(
                connection, person, topic, municipality, by=PLATFORM, now=town.scene.now
            )
    assert await subscriptions.list_subscriptions(connection) == []
