"""A device under work does not alarm twice: what is told, when, and what is added to the order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from alerts.transition import Severity
from devices.registry.registry import get_device
from nabd.notifying import silenced_until
from store.connection import Connection
from tests.integration.api import builders
from tests.integration.notify.scene import Scene, fire
from tests.integration.work.builders import person
from work import steps
from work.added_alerts import add_alerts
from work.change import WorkStep
from work.event import history
from work.listing import get_order
from work.orders import NewOrder, make
from work.report import WorkReport

REPORT = WorkReport(found="a broken lid", done="put a new one on")


@pytest.fixture
def held_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Return the scene with the holds of the process itself."""

    async def of_process(_: Scene, connection: Connection, alerts: Sequence[int], at: int) -> dict[int, int]:
        return await silenced_until(connection, alerts, at)

    monkeypatch.setattr(Scene, "_silenced", of_process)
    scene.sender = scene.new_sender()
    return scene


async def test_what_a_device_under_work_raises_is_told_afterwards_if_it_still_fires(held_back: Scene) -> None:
    scene, connection = held_back, held_back.connection
    first = await fire(connection, "bin-1")
    rima = await person(connection, "rima")
    await scene.turn()
    made = await make(connection, NewOrder(alerts=[first]), WorkStep(by=rima, now=scene.now))
    await steps.accept(connection, made.id, WorkStep(by=rima, now=scene.now))
    device = await get_device(connection, "bin-1")
    second = await builders.fire(connection, device, rule="bin-tilted")
    worse = await builders.fire(connection, device, rule="bin-fire", severity=Severity.CRITICAL)

    await scene.turn(600)
    assert scene.told() == [("amal", "opened", (first,)), ("amal", "opened", (worse,))]
    await builders.resolve(connection, device)
    await scene.turn(1)
    assert scene.told()[2:] == [("amal", "resolved", (first,))]
    await steps.finish(connection, made.id, REPORT, WorkStep(by=rima, now=scene.now))
    await scene.turn(1)

    assert scene.told()[3:] == [("amal", "opened", (second,))]


async def test_what_a_device_raises_meanwhile_is_added_to_its_order_once(held_back: Scene) -> None:
    connection, now = held_back.connection, held_back.now
    before = await fire(connection, "bin-1")
    device = await get_device(connection, "bin-1")
    step = WorkStep(by=await person(connection, "rima"), now=now - 60_000_000)
    await connection.execute("UPDATE alert SET detected_at = detected_at - interval '1 hour'")
    made = await make(connection, NewOrder(device="bin-1", title="paint it"), step)
    meanwhile = await builders.fire(connection, device, rule="bin-tilted")
    await fire(connection, "bin-2")

    assert [await add_alerts(connection, now) for _ in range(2)] == [1, 0]

    assert before not in (await get_order(connection, made.id)).alerts
    assert (await get_order(connection, made.id)).alerts == [meanwhile]
    assert (await history(connection, made.id))[-1].body == {"alert": meanwhile}
    audited = await connection.fetchval("SELECT after::text FROM audit WHERE action = 'work.add-alert'")
    assert str(meanwhile) in audited
