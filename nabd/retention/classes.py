"""The table of retention classes: what grows, for how long it is kept, and by which setting.

Readings are not among them: their tables are cut by time (store.partitions, policies of TimescaleDB).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from alerts.expiry import ENDED_ALERTS
from api import idempotency_keys
from devices.commands.answered import SETTLED_COMMANDS
from devices.publishing.subscriptions import SUBSCRIPTIONS
from nabd.settings import Settings, photo_directory, retention_of
from notify.answers import offers
from notify.expiry import DELIVERIES
from people.audit.expiry import AUDIT
from people.sessions import SESSIONS
from readings.by_hand.expiry import NEVER_STORED
from readings.stored.expiry import LEDGER, REJECTIONS
from rules.trial import shadows
from store.expiry import Expiring
from store.tables import Resolution
from work.orphan_photos import OrphanPhotos

ORPHANS_KEPT = timedelta(days=7)
"""How old the file of a photo without a row is before it goes: backups of both may be days apart."""
EXPIRED_KEPT = timedelta(days=7)
"""How long a subscription that expired is still shown as such."""
UNSENT_KEPT = timedelta(days=30)
"""How long a phone may be away between two tries to send what was entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionClass:
    """One class of what grows.

    setting: the variable that says for how long; empty where that is fixed. real: its ages are told by a
    clock that runs as people's do, whatever that of readings does. survives: what of it stays for ever.
    """

    name: str
    expiring: Expiring
    keep: timedelta
    setting: str = ""
    real: bool = False
    survives: str = ""


def classes_of(settings: Settings) -> list[RetentionClass]:
    """Return all classes, in the order in which they are enforced: what points at others goes first."""
    days = timedelta(days=1)
    readings = retention_of(settings).longest(Resolution.READING)
    return [
        RetentionClass(
            name="rejections",
            expiring=REJECTIONS,
            keep=settings.keep_rejections_days * days,
            setting="NABD_KEEP_REJECTIONS_DAYS",
            survives="counts by reason in the ledger",
        ),
        # Rules that are tried over the past ask the ledger when readings were received.
        RetentionClass(
            name="ledger",
            expiring=LEDGER,
            keep=max(settings.keep_ledger_days * days, readings),
            setting="NABD_KEEP_LEDGER_DAYS",
            survives="sums by day",
        ),
        RetentionClass(
            name="shadow results", expiring=shadows.RESULTS, keep=readings, setting="NABD_RETENTION_DAYS"
        ),
        RetentionClass(
            name="commands",
            expiring=SETTLED_COMMANDS,
            keep=settings.keep_commands_days * days,
            setting="NABD_KEEP_COMMANDS_DAYS",
            survives="that they were sent, in the audit",
        ),
        RetentionClass(
            name="notifications",
            expiring=DELIVERIES,
            keep=settings.keep_notifications_days * days,
            setting="NABD_KEEP_NOTIFICATIONS_DAYS",
        ),
        RetentionClass(
            name="ended alerts",
            expiring=ENDED_ALERTS,
            keep=settings.keep_alerts_days * days,
            setting="NABD_KEEP_ALERTS_DAYS",
            survives="counts by day, kind, district and rule",
        ),
        RetentionClass(
            name="audit",
            expiring=AUDIT,
            keep=settings.keep_audit_days * days,
            setting="NABD_KEEP_AUDIT_DAYS",
            survives="number of rows and head of each month",
        ),
        RetentionClass(
            name="repeated requests", expiring=idempotency_keys.KEYS, keep=idempotency_keys.REMEMBERED
        ),
        RetentionClass(
            name="entered by hand, never stored",
            expiring=NEVER_STORED,
            keep=UNSENT_KEPT,
            survives="what was stored, with its author",
        ),
        RetentionClass(
            name="expired subscriptions",
            expiring=SUBSCRIPTIONS,
            keep=EXPIRED_KEPT,
            survives="that they were made, in the audit",
        ),
        RetentionClass(name="links in messages", expiring=offers.OFFERS, keep=offers.KEPT_FOR, real=True),
        RetentionClass(name="sessions", expiring=SESSIONS, keep=timedelta(0), real=True),
        RetentionClass(
            name="photos without order",
            expiring=OrphanPhotos(photo_directory(settings)),
            keep=ORPHANS_KEPT,
            real=True,
        ),
    ]
