"""What a demo comes to at its end: what was published against what is stored, and alerts against faults."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta

from devices.instants import to_datetime
from devices.kinds import Kinds
from devices.kinds.kind import INTERVAL
from firmware_sim.publish_log import PublishLine
from firmware_sim.town import Town
from nabd.demo import proof, score
from nabd.demo.percentiles import percentiles
from nabd.demo.town import Demo
from readings import balance, ledger
from store.connection import Connection
from store.pool import connect

SETTLE_S = 60.0


async def settled(demo: Demo, within_s: float = SETTLE_S) -> None:
    """Wait until ingest has nothing left to commit: caught up, with all that the bridge heard, and the ledger
    no longer grows.
    """
    assert demo.parts.settings.database is not None
    connection = await connect(demo.parts.settings.database)
    try:
        deadline = time.monotonic() + within_s
        before, quiet = -1, 0
        while time.monotonic() < deadline and quiet < 3:
            row = await connection.fetchrow(
                "SELECT (SELECT coalesce(sum(messages), 0) FROM ledger) AS messages, caught_up_at FROM shard"
                " WHERE name = $1",
                demo.parts.settings.shard,
            )
            assert row is not None
            still = row["caught_up_at"] is not None and row["messages"] == before
            still = still and not (await _foreign(demo, connection)).lost
            before, quiet = row["messages"], quiet + 1 if still else 0
            await asyncio.sleep(0.5)
    finally:
        await connection.close()


async def report(demo: Demo) -> dict[str, object]:
    """Compare what was published with what is stored, and alerts with faults."""
    assert demo.parts.settings.database is not None
    connection = await connect(demo.parts.settings.database, statement_timeout_s=0)
    try:
        lines = await asyncio.to_thread(proof.read_log, demo.publish_log)
        names = [device.name for device in demo.town.devices]
        began = to_datetime(demo.clock.scaled)  # what is older was stored by the past
        rows = await proof.stored_rows(connection, demo.kinds, names, demo.clock.at, since=began)
        found = await asyncio.to_thread(proof.compare, lines, rows)
        foreign = await _foreign(demo, connection)
        totals = await ledger.total(connection, since=began)
        counted = await balance.count_readings(connection, demo.kinds, since=began)
        alerts = await score.opened(connection, demo.clock.at, since=demo.clock.scaled)
    finally:
        await connection.close()
    own = [alert for alert in alerts if alert.device in names]  # nobody labels what befalls foreign devices
    rated = score.score(score.read_faults(demo.fault_log), own, grace(demo.town, demo.kinds))
    speed = demo.clock.speed
    return {
        "published": found.published + foreign.published,
        "acknowledged": found.acknowledged + foreign.acknowledged,
        "received": totals.received,
        "stored": totals.stored,
        "merged": totals.merged,
        "duplicates": totals.duplicate,
        "rejected": totals.rejected,
        "lost": len(found.lost) + len(foreign.lost),
        "unexpected": sum(len(one.unexpected) + len(one.duplicated) for one in (found, foreign)),
        "altered": len(found.altered) + len(foreign.altered),
        "ledger_balanced": totals.balanced and counted == totals.stored,
        "lorawan": {
            "devices": len(demo.lorawan.registered),
            "sent": foreign.acknowledged,
            "stored": foreign.stored,
            "lost": len(foreign.lost),
            "copies": demo.lorawan.copies,
            "strange": demo.lorawan.strange,
        },
        "alerts_opened": len(alerts),
        "alerts_resolved": sum(alert.resolved for alert in alerts),
        "faults": rated.faults,
        "faults_detected": rated.detected,
        "faults_missed": len(rated.missed),
        "false_alerts": len(rated.false_alerts),
        "unlabelled_alerts": len(rated.unlabelled) + len(alerts) - len(own),
        "publish_to_commit_ms": percentiles([d / 1000 / speed for d in found.commit_delays]),
        "publish_to_alert_ms": percentiles([d / 1000 / speed for d in alert_delays(lines, alerts)]),
        "seed": demo.town.seed,
        "speed": speed,
        "missed": list(rated.missed),
        "false": list(rated.false_alerts),
    }


async def _foreign(demo: Demo, connection: Connection) -> proof.Proof:
    """Compare what the network server said of registered devices with what is stored of them."""
    lines = await asyncio.to_thread(proof.read_log, demo.lorawan.log)
    began = to_datetime(demo.clock.scaled)
    rows = await proof.stored_rows(connection, demo.kinds, demo.lorawan.names, demo.clock.at, since=began)
    return proof.compare(lines, rows)


def grace(town: Town, kinds: Kinds) -> Mapping[str, int]:
    """Return, by device, how long after its fault's end an alert may open and be right, in microseconds."""
    found = {}
    for device in town.sensing:
        every = device.attributes.get(INTERVAL, max(r.every_s for r in kinds[device.kind].reporting))
        assert isinstance(every, int | float)
        found[device.name] = timedelta(seconds=1.5 * every) // timedelta(microseconds=1)
    return found


def alert_delays(lines: list[PublishLine], alerts: list[score.OpenedAlert]) -> list[int]:
    """Return microseconds from the publish of the reading that opened an alert to the alert's commit.

    Alerts about silence have no such reading.
    """
    published: dict[tuple[str, int], int] = {}
    for line in lines:
        if line.observed_at is not None:
            published.setdefault((line.device, line.observed_at), line.published_at)
    return [
        alert.committed_at - published[alert.device, alert.opened_at]
        for alert in alerts
        if alert.committed_at is not None and (alert.device, alert.opened_at) in published
    ]
