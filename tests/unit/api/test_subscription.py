"""What waits for one client of the live stream."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from alerts.transition import Severity
from api.live.subscription import EventFilter, LiveAlert, Subscription
from api.schemas.alerts import AlertEventOut, AlertOut
from api.schemas.latest import LatestOut

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def live_alert(number: int, severity: Severity = Severity.MAJOR, **more: Any) -> LiveAlert:
    alert: dict[str, Any] = {
        "id": 1,
        "rule": "bin-overflow",
        "rule_version": 1,
        "family": "stream",
        "device": "bin-1",
        "device_title": "bin-1",
        "kind": "bin",
        "municipality": "tripoli",
        "state": "firing",
        "unknown": False,
        "severity": severity,
        "opened_at": NOON,
        "detected_at": NOON,
        "resolved_at": None,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "summary": {},
        "evidence": {},
        "runbook": {},
    }
    event = AlertEventOut(id=f"1-{number}", alert_id=1, type="opened", at=NOON, severity=severity)
    return LiveAlert(cursor=(1, number), event=event, alert=AlertOut(**{**alert, **more}))


def latest(device: str, fill: float) -> LatestOut:
    return LatestOut(
        device=device,
        kind="bin",
        municipality="tripoli",
        observed_at=NOON,
        received_at=NOON,
        interval_s=600,
        quality=0,
        measurements={"fill_pct": fill},
    )


async def test_slow_client_is_told_how_much_it_missed_and_gets_the_newest() -> None:
    subscription = Subscription(EventFilter(), limit=3)

    dropped = [subscription.offer_alert(live_alert(i)) for i in range(5)]
    waiting = await subscription.wait()

    assert dropped == [0, 0, 0, 3, 0]
    assert waiting.missed == 3
    assert [alert.cursor for alert in waiting.alerts] == [(1, 3), (1, 4)]


async def test_only_the_newest_values_of_a_device_wait() -> None:
    subscription = Subscription(EventFilter())

    for fill in (10.0, 20.0, 30.0):
        subscription.offer_latest(latest("bin-1", fill))
    subscription.offer_latest(latest("bin-2", 5.0))
    waiting = await subscription.wait()

    assert {one.device: one.measurements["fill_pct"] for one in waiting.latest} == {
        "bin-1": 30.0,
        "bin-2": 5.0,
    }


async def test_client_hears_only_what_it_is_interested_in() -> None:
    interest = EventFilter(kind="bin", municipality="tripoli", severities=frozenset({Severity.CRITICAL}))
    subscription = Subscription(interest)

    subscription.offer_alert(live_alert(1, Severity.MINOR))
    subscription.offer_alert(live_alert(2, Severity.CRITICAL, kind="light"))
    subscription.offer_alert(live_alert(3, Severity.CRITICAL, municipality="sfax"))
    subscription.offer_alert(live_alert(4, Severity.CRITICAL))
    waiting = await subscription.wait()

    assert [alert.cursor for alert in waiting.alerts] == [(1, 4)]


async def test_closed_subscription_lets_its_client_go_at_once() -> None:
    subscription = Subscription(EventFilter())
    subscription.close()

    waiting = await subscription.wait()

    assert subscription.closed
    assert not waiting.alerts


async def test_client_hears_of_one_district_only_when_it_asks_for_that() -> None:
    subscription = Subscription(EventFilter(district="al-mina"))

    subscription.offer_alert(live_alert(1, Severity.MINOR))
    subscription.offer_alert(live_alert(2, Severity.MINOR, district="al-mina"))
    subscription.offer_latest(latest("bin-1", 5.0))
    waiting = await subscription.wait()

    assert [alert.cursor for alert in waiting.alerts] == [(1, 2)]
    assert waiting.latest == []
