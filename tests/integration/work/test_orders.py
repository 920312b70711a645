"""Work orders from the alert to the report: what is stored, and who is told that they came too late."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from alerts import holds
from alerts.acknowledgement import acknowledge, lapse
from alerts.queue import AlertNotFound
from alerts.transition import Severity
from devices.instants import to_microseconds
from devices.registry.errors import Conflict, Invalid, NotFound
from notify.routing.teams import remove_team
from people.editing import disable_person, edit_person
from people.identity import of_texts
from store.audit import PLATFORM, Actor
from tests.integration.api import builders
from tests.integration.work.builders import MINUTE_US, NOW, order, person, step, team
from work import steps
from work.assigning import Crew, assign
from work.change import hold_until
from work.event import history
from work.listing import ListOrder, WorkFilter, get_order, list_orders
from work.order import WorkOrigin, WorkState
from work.orders import NewOrder, make
from work.report import CheckedItem, UsedPart, WorkReport, reports
from work.suggestions import suggested

REPORT = WorkReport(
    found="the lid was broken",
    done="put a new one on",
    parts=[UsedPart(name="lid")],
    checklist=[CheckedItem(item="lid-closes", answer="yes")],
)


async def test_an_alert_becomes_work_that_is_done_and_everything_is_accounted_for(
    connection: asyncpg.Connection,
) -> None:
    device = await builders.add(connection, "bin-1")
    alert = await builders.fire(connection, device, severity=Severity.CRITICAL)
    rima = await person(connection, "rima")

    made = await make(connection, NewOrder(alerts=[alert], to=Crew(assignee="rima")), step())
    await steps.accept(connection, made.id, step(rima, 1, own_only=True))
    await steps.go(connection, made.id, step(rima, 2, own_only=True))
    await steps.begin(connection, made.id, step(rima, 3, own_only=True))
    assert await steps.finish(connection, made.id, REPORT, step(rima, 4, own_only=True))
    assert not await steps.finish(connection, made.id, REPORT, step(rima, 5, own_only=True))

    assert (made.origin, made.rule, made.severity, made.alerts) == (
        WorkOrigin.ALERT,
        "bin-overflow",
        Severity.CRITICAL,
        [alert],
    )
    shown = await get_order(connection, made.id)
    assert (shown.state, shown.assignee, shown.version) == (WorkState.DONE, "rima", made.version + 4)
    at = [shown.accepted_at, shown.arrived_at, shown.ended_at]
    assert at == [builders.NOON + timedelta(minutes=m) for m in (1, 3, 4)]
    told = [(e.type.value, e.author) for e in await history(connection, made.id)]
    assert [name for name, _ in told] == [
        "created", "assigned", "accepted", "on-the-way", "in-progress", "done",
    ]  # fmt: skip
    assert [who for _, who in told] == [None, None, *["rima"] * 4]
    [kept] = await reports(connection, made.id)
    assert (kept.found, kept.parts, kept.checklist) == (REPORT.found, REPORT.parts, REPORT.checklist)
    actions = await connection.fetch("SELECT action FROM audit WHERE action LIKE 'work.%' ORDER BY id")
    assert [row["action"].removeprefix("work.") for row in actions] == [
        "create", "assign", "accept", "on-the-way", "in-progress", "done",
    ]  # fmt: skip
    assert "broken" not in str(await connection.fetch("SELECT before::text, after::text FROM audit"))


async def test_an_alert_is_in_one_open_order_at_most(connection: asyncpg.Connection) -> None:
    device = await builders.add(connection, "bin-1")
    alert = await builders.fire(connection, device)
    first = await make(connection, NewOrder(alerts=[alert]), step())

    with pytest.raises(Conflict, match=f"alert {alert} is in work order {first.id} already"):
        await make(connection, NewOrder(alerts=[alert]), step())
    await steps.cancel(connection, first.id, "nothing to do", step())
    second = await make(connection, NewOrder(alerts=[alert]), step())

    assert second.id != first.id
    other = await builders.add(connection, "bin-2")
    with pytest.raises(Invalid, match="one device"):
        await make(connection, NewOrder(alerts=[await builders.fire(connection, other), alert]), step())
    with pytest.raises(AlertNotFound):
        await make(connection, NewOrder(alerts=[999]), step())
    with pytest.raises(Invalid, match="say what is to be done"):
        await make(connection, NewOrder(device="bin-1"), step())


async def test_what_is_over_is_no_work(connection: asyncpg.Connection) -> None:
    device = await builders.add(connection, "bin-1")
    over = await builders.fire(connection, device)
    await builders.resolve(connection, device)
    firing = await builders.fire(connection, device, rule="bin-fire")

    with pytest.raises(Conflict, match=f"what alert {over} says is over since .*: for other work there"):
        await make(connection, NewOrder(alerts=[over]), step())
    both = await make(connection, NewOrder(alerts=[over, firing]), step())

    assert set(both.alerts) == {over, firing}


async def test_of_two_who_accept_at_once_the_later_one_is_told(connection: asyncpg.Connection) -> None:
    rima, sami = await person(connection, "rima"), await person(connection, "sami")
    made = await order(connection)

    assert await steps.accept(connection, made.id, step(rima, 1, own_only=True))
    assert not await steps.accept(connection, made.id, step(rima, 2, own_only=True))
    with pytest.raises(Conflict, match=r"not yours: accepted by rima at .*12:01:00Z"):
        await steps.accept(connection, made.id, step(sami, 2, own_only=True))
    with pytest.raises(Conflict, match=r"changed since it was read: accepted by rima .* version 2 now"):
        await assign(connection, made.id, Crew(assignee="sami"), step(minutes=3, version=made.version))

    assert (await get_order(connection, made.id)).assignee == "rima"


async def test_work_of_a_team_is_that_of_each_until_one_accepts_it(connection: asyncpg.Connection) -> None:
    rima, sami, amal = [await person(connection, name) for name in ("rima", "sami", "amal")]
    await team(connection, "bins", ["rima", "sami"])
    made = await order(connection, to=Crew(team="bins"))
    mine = WorkFilter(mine=sami.principal)

    with pytest.raises(Conflict, match="not yours"):
        await steps.accept(connection, made.id, step(amal, own_only=True))
    await steps.accept(connection, made.id, step(rima, own_only=True))
    with pytest.raises(Conflict, match="not yours"):
        await steps.begin(connection, made.id, step(sami, own_only=True))
    assert await list_orders(connection, mine, now=NOW) == []
    await steps.decline(connection, made.id, "my car broke down", step(rima, own_only=True))
    assert [o.id for o in await list_orders(connection, mine, now=NOW)] == [made.id]

    # Said again, or by another member, it stays the team's; and somebody has to accept it in time again.
    assert not await steps.decline(connection, made.id, "my car broke down", step(rima, own_only=True))
    assert not await steps.decline(connection, made.id, "no time", step(sami, own_only=True))
    shown = await get_order(connection, made.id)
    assert (shown.state, shown.assignee, shown.team) == (WorkState.ASSIGNED, None, "bins")
    assert shown.accepted_at is None
    assert (await history(connection, made.id))[-1].body["reason"] == "my car broke down"


async def test_steps_out_of_order_are_refused_with_what_stands(connection: asyncpg.Connection) -> None:
    rima = await person(connection, "rima")
    made = await order(connection, to=Crew(assignee="rima"))

    with pytest.raises(Conflict, match="is assigned and cannot become done: assigned at"):
        await steps.finish(connection, made.id, REPORT, step(rima))
    await steps.cancel(connection, made.id, "a double", step(minutes=1))
    with pytest.raises(Conflict, match="is cancelled and cannot become accepted"):
        await steps.accept(connection, made.id, step(rima, 2))
    with pytest.raises(Conflict, match="not assigned any more"):
        await assign(connection, made.id, Crew(), step(minutes=2))
    with pytest.raises(NotFound):
        await steps.accept(connection, 999, step(rima))


async def test_what_was_done_without_network_keeps_its_time(connection: asyncpg.Connection) -> None:
    rima = await person(connection, "rima")
    made = await order(connection)
    hour = timedelta(hours=1)

    with pytest.raises(Invalid, match="future"):
        await steps.accept(connection, made.id, step(rima, 60, happened_at=builders.NOON + 2 * hour))
    with pytest.raises(Invalid, match="7 days"):
        await steps.accept(connection, made.id, step(rima, 60, happened_at=builders.NOON - 200 * hour))
    await steps.accept(connection, made.id, step(rima, 60, happened_at=builders.NOON + hour / 4))
    # A clock that goes after ours: never before the step that it follows.
    await steps.begin(connection, made.id, step(rima, 61, happened_at=builders.NOON - hour))

    shown = await get_order(connection, made.id)
    assert shown.accepted_at == shown.arrived_at == builders.NOON + hour / 4
    [_, accepted, _] = await history(connection, made.id)
    assert accepted.created_at == builders.NOON + hour


async def test_work_is_given_to_people_and_teams_of_the_place_only(connection: asyncpg.Connection) -> None:
    await builders.add_town(connection, "nablus")
    made = await order(connection)
    await person(connection, "nadia", "technician@nablus")
    await person(connection, "view", "viewer@tripoli")

    for name in ("nadia", "view"):
        with pytest.raises(Invalid, match="no role in tripoli"):
            await assign(connection, made.id, Crew(assignee=name), step())
    with pytest.raises(NotFound):
        await assign(connection, made.id, Crew(team="nobody-knows"), step())


async def test_alerts_of_a_device_under_work_are_held_but_for_worse_ones(
    connection: asyncpg.Connection,
) -> None:
    device = await builders.add(connection, "bin-1")
    alert = await builders.fire(connection, device)
    worse = await builders.fire(connection, device, rule="bin-fire", severity=Severity.CRITICAL)
    rima = await person(connection, "rima")
    made = await make(connection, NewOrder(alerts=[alert]), step())

    assert await holds.held(connection, [alert, worse], NOW) == {}
    await steps.accept(connection, made.id, step(rima, 1))
    assert await holds.held(connection, [alert, worse], NOW + MINUTE_US) == {alert: f"work order {made.id}"}
    await steps.finish(connection, made.id, REPORT, step(rima, 2))
    assert await holds.held(connection, [alert, worse], NOW + 2 * MINUTE_US) == {}


async def test_a_hold_that_somebody_forgets_ends_when_the_work_should_be_done(
    connection: asyncpg.Connection,
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    rima = await person(connection, "rima")
    made = await make(connection, NewOrder(alerts=[alert]), step())
    await steps.accept(connection, made.id, step(rima, 1))
    assert made.repair_due_at is not None
    due = to_microseconds(made.repair_due_at)

    assert await holds.held(connection, [alert], due - 1) == {alert: f"work order {made.id}"}
    assert await holds.held(connection, [alert], due) == {}


@pytest.mark.parametrize(("due", "until"), [(None, 8), (1, 8), (30, 30)])
def test_a_step_holds_until_the_work_is_due_some_hours_at_least(due: int | None, until: int) -> None:
    hour = timedelta(hours=1)
    due_at = None if due is None else builders.NOON + due * hour
    assert hold_until(due_at, builders.NOON) == builders.NOON + until * hour


async def test_open_work_of_who_works_there_no_more_is_given_up(connection: asyncpg.Connection) -> None:
    rima = await person(connection, "rima")
    await builders.add_town(connection, "saida")
    made = await order(connection)
    await steps.accept(connection, made.id, step(rima))
    for roles, state in (
        (["technician@tripoli", "technician@saida"], "accepted"),
        (["technician@saida"], "open"),
    ):
        await edit_person(connection, "rima", {}, NOW + MINUTE_US, by=PLATFORM, grants=of_texts(roles))
        assert (await get_order(connection, made.id)).state.value == state
    assert (await get_order(connection, made.id)).assignee is None


async def test_acknowledgement_of_an_alert_in_an_open_order_does_not_lapse(
    connection: asyncpg.Connection,
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    await acknowledge(connection, [alert], by=PLATFORM, now=NOW)
    made = await make(connection, NewOrder(alerts=[alert]), step())
    late = NOW + 600 * MINUTE_US

    assert await lapse(connection, {Severity.MAJOR: 3600.0}, late) == 0
    await steps.cancel(connection, made.id, "a double", step())
    assert await lapse(connection, {Severity.MAJOR: 3600.0}, late) == 1


async def test_suggested_are_those_who_know_the_kind_and_have_less_to_do(
    connection: asyncpg.Connection,
) -> None:
    await person(connection, "rima", skills=["bin"])
    await person(connection, "sami", skills=["light"])
    await person(connection, "amal", skills=["bin"])
    await person(connection, "omar", "operator@tripoli", skills=["bin"])
    await order(connection, "bin-1", to=Crew(assignee="amal"))
    made = await order(connection, "bin-2")

    found = await suggested(connection, made.id)

    assert [(one.name, one.knows_kind, one.open_orders) for one in found] == [
        ("rima", True, 0),
        ("amal", True, 1),
        ("sami", False, 0),
    ]


async def test_lists_are_filtered_and_paged(connection: asyncpg.Connection) -> None:
    made = [await order(connection, f"bin-{i}") for i in range(3)]
    await steps.cancel(connection, made[0].id, "a double", step())
    await connection.execute(
        "UPDATE work_order SET repair_due_at = $2 WHERE id = $1", made[1].id, builders.NOON
    )

    async def ids(**named: object) -> list[int]:
        found = await list_orders(connection, WorkFilter(**named), now=NOW)  # type: ignore[arg-type]
        return [o.id for o in found]

    assert await ids(active=True) == [made[2].id, made[1].id]
    assert await ids(overdue=True) == [made[1].id]
    assert await ids(words=("empty", "it"), device="bin-2") == [made[2].id]
    assert await ids(assignee="nobody", state=WorkState.CANCELLED) == [made[0].id]
    assert await ids(within=["nablus"]) == []
    assert await ids(words=("100%",)) == []
    page = await list_orders(connection, WorkFilter(), now=NOW, before=made[2].id, limit=1)
    assert [o.id for o in page] == [made[1].id]
    late = [o.id for o in await list_orders(connection, WorkFilter(), now=NOW, order=ListOrder.LATE)]
    assert late[0] == made[1].id, "what was due first"
    after = await list_orders(
        connection, WorkFilter(), now=NOW, order=ListOrder.LATE, before=late[0], limit=1
    )
    assert [o.id for o in after] == [late[1]]


async def test_open_work_of_who_is_gone_is_their_teams_else_nobodys(connection: asyncpg.Connection) -> None:
    rima = await person(connection, "rima")
    await team(connection, "bins", ["rima"])
    alone, of_team, done = [
        await order(connection, f"bin-{n}", to=Crew(assignee="rima", team=t))
        for n, t in enumerate((None, "bins", None))
    ]
    for made in (alone, of_team, done):
        await steps.accept(connection, made.id, step(rima))
    await steps.finish(connection, done.id, REPORT, step(rima))

    await disable_person(connection, "rima", NOW + MINUTE_US, by=PLATFORM)

    shown = [await get_order(connection, made.id) for made in (alone, of_team, done)]
    assert [(o.state.value, o.assignee, o.team) for o in shown] == [
        ("open", None, None),
        ("assigned", None, "bins"),
        ("done", "rima", None),
    ]
    assert (await history(connection, alone.id))[-1].body == {"assignee": "rima", "team": None}
    held = "SELECT count(*) FROM alert_hold WHERE until_at > $1"
    assert await connection.fetchval(held, builders.NOON + timedelta(minutes=1)) == 0
    with pytest.raises(Conflict, match="work orders of team bins are open"):
        await remove_team(connection, "bins", NOW, by=PLATFORM)
    await steps.cancel(connection, of_team.id, "a double", step(minutes=2))
    await remove_team(connection, "bins", NOW, by=PLATFORM)


async def test_of_two_who_act_in_the_same_instant_one_succeeds(
    connection: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    actors = [await person(connection, name) for name in ("rima", "sami")]
    made = await order(connection)

    async def accept(by: Actor) -> bool:
        async with pool.acquire() as own:
            return await steps.accept(own, made.id, step(by, own_only=True))

    done = await asyncio.gather(*map(accept, actors), return_exceptions=True)

    assert sorted(type(one).__name__ for one in done) == ["Conflict", "bool"]
    assert [e.type.value for e in await history(connection, made.id)] == ["created", "accepted"]
