"""The alert rules, each with its metric, how long it must hold, how urgent it is, and what it means.

What to do stands in docs/operations.md under the rule's name. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devices.credentials.refusals import MANY

RUNBOOKS = "docs/operations.md"


class Urgency(StrEnum):
    """Whom a rule is for."""

    CRITICAL = "critical"  # wake somebody: readings or alerts are late, or will be lost
    WARNING = "warning"  # look in working hours


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRule:
    """One rule: it fires while left (PromQL) is beyond right. minutes: how long that must hold."""

    name: str
    left: str
    sign: str
    right: str
    minutes: int
    urgency: Urgency
    summary: str

    @property
    def expression(self) -> str:
        """Return the whole condition in PromQL."""
        return f"{self.left} {self.sign} {self.right}"

    @property
    def runbook(self) -> str:
        """Return where it says what to do."""
        return f"{RUNBOOKS}#{self.name.lower()}"


def _rule(name: str, condition: str, minutes: int, urgency: Urgency, summary: str) -> PlatformRule:
    left, sign, right = condition.rsplit(" ", 2)
    return PlatformRule(
        name=name, left=left, sign=sign, right=right, minutes=minutes, urgency=urgency, summary=summary
    )


def _share(part: str, whole: str, above: float) -> str:
    return f"sum(rate({part})) / sum(rate({whole})) > {above:g}"


def _age(metric: str) -> str:
    """Return an age that is endless where there is none: /metrics leaves out what never happened.

    While the database is away everything is left out, which is its own rule's to tell.
    """
    return f"({metric} or {NEVER_S} * absent({metric}) and on () nabd_database_up == 1)"


NEVER_S = 10**9
"""Beyond every age that a rule bears."""
_NOW, _SOON = Urgency.CRITICAL, Urgency.WARNING
_ERRORS = 'nabd_http_requests_total{status=~"5.."}[10m]'
_SCRAPED = '(up{job="nabd"} or 0 * absent(up{job="nabd"}))'
_TIMES = "nabd_http_request_seconds_bucket[10m]"

RULES: tuple[PlatformRule, ...] = (
    _rule(
        "NabdApiAway", f"{_SCRAPED} < 1", 2, _NOW, "nabd api does not answer: nothing is known of the rest"
    ),
    _rule(
        "NabdDatabaseAway",
        "nabd_database_up < 1",
        1,
        _NOW,
        "the database does not answer: the broker holds what comes",
    ),
    _rule(
        "NabdIngestSilent",
        f"{_age('nabd_ingest_sign_of_life_age_seconds')} > 30",
        1,
        _NOW,
        "ingest does not live: no reading is stored",
    ),
    _rule(
        "NabdIngestBehind",
        "nabd_ingest_caught_up < 1",
        15,
        _SOON,
        "ingest has not caught up with the broker for long",
    ),
    _rule(
        "NabdBrokerQueueFills",
        "nabd_broker_queued_messages / nabd_broker_queue_limit_messages > 0.3",
        1,
        _NOW,
        "messages wait at the broker: at its limit it drops them silently",
    ),
    _rule(
        "NabdBrokerMemoryFills",
        "nabd_broker_memory_bytes / nabd_broker_memory_limit_bytes > 0.3",
        5,
        _NOW,
        "the broker's memory fills: at its limit it takes nothing from anybody",
    ),
    _rule(
        "NabdBrokerDrops",
        "increase(nabd_broker_dropped_messages_total[10m]) > 0",
        0,
        _NOW,
        "the broker has dropped messages",
    ),
    _rule(
        "NabdSignInsRefused",
        f"nabd_broker_refused_sign_ins > {MANY - 1}",
        5,
        _SOON,
        "the broker refuses sign-ins again and again",
    ),
    _rule(
        "NabdSessionTaken",
        "increase(nabd_ingest_session_takeovers_total[10m]) > 0",
        0,
        _NOW,
        "another client takes ingest's session at the broker",
    ),
    _rule(
        "NabdReadingsRejected",
        _share("nabd_readings_rejected_total[15m]", "nabd_readings_total[15m]", 0.05),
        15,
        _SOON,
        "more than one reading in twenty is rejected",
    ),
    _rule("NabdRulesBroken", "nabd_rules_broken > 0", 1, _SOON, "a rule failed and does not look any more"),
    _rule(
        "NabdSweepSilent",
        f"{_age('nabd_sweep_age_seconds')} > 60",
        1,
        _NOW,
        "nobody looks for silent devices",
    ),
    _rule(
        "NabdRollupsLate",
        "nabd_rollups_lag_seconds > 600",
        5,
        _SOON,
        "hours and days do not keep up with readings",
    ),
    _rule(
        "NabdNotifierSilent",
        f"{_age('nabd_notify_sign_of_life_age_seconds')} > 60",
        1,
        _NOW,
        "nobody is told of alerts",
    ),
    _rule(
        "NabdNotificationsWait",
        "nabd_notifications_waiting > 100",
        10,
        _NOW,
        "messages to people are due and not handed over",
    ),
    _rule(
        "NabdSourceAway",
        "nabd_source_connected < 1",
        10,
        _NOW,
        "a source of foreign devices is not heard: none of its readings arrive",
    ),
    _rule(
        "NabdBridgeSilent",
        "max(nabd_source_sign_of_life_age_seconds) > 60",
        2,
        _NOW,
        "nobody hears sources: readings wait at brokers of others",
    ),
    _rule("NabdChannelFails", "nabd_channel_failing > 0", 10, _NOW, "a channel to people fails"),
    _rule(
        "NabdApiFails",
        _share(_ERRORS, "nabd_http_requests_total[10m]", 0.05),
        10,
        _SOON,
        "more than one request in twenty fails on our side",
    ),
    _rule(
        "NabdApiSlow",
        f"histogram_quantile(0.95, sum by (le) (rate({_TIMES}))) > 2",
        10,
        _SOON,
        "one request in twenty takes more than two seconds",
    ),
    _rule(
        "NabdBackupOld",
        f"{_age('nabd_backup_age_seconds')} > 172800",
        60,
        _SOON,
        "no backup was made for two days",
    ),
    _rule(
        "NabdBackupUnverified",
        f"{_age('nabd_backup_verified_age_seconds')} > 2592000",
        60,
        _SOON,
        "no restore was compared for thirty days",
    ),
)
"""All rules, in the order in which a reading meets what they watch."""
