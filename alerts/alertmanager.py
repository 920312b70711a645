"""Alerts as Prometheus and others send them to an Alertmanager: what its API v2 takes. Pure.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (postableAlerts). Go programs write a
time that is not set as one of the year 1. Must not know how they arrive, nor what becomes of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from alerts.transition import Severity
from devices.storable import storable

RESOLVE_TIMEOUT = timedelta(minutes=5)
"""How long an alert without an end holds unless it is sent again: Alertmanager's own default."""
MOST = 2_000
LABELS = 64
LENGTH = 4_000
RULE_LENGTH = 63

SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "major": Severity.MAJOR,
    "error": Severity.MAJOR,
    "minor": Severity.MINOR,
    "warning": Severity.WARNING,
    "info": Severity.WARNING,
    "none": Severity.WARNING,
}
"""By the label `severity`; any other, and none, is a warning."""


class NotAccepted(ValueError):
    """What was sent is not taken; the text says which alert and why."""


class PostableAlert(msgspec.Struct, kw_only=True, frozen=True, rename="camel"):
    """One alert as it is sent. starts_at, ends_at: None or of the year 1 where they are not set."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    generator_url: str = msgspec.field(default="", name="generatorURL")


def read(body: bytes) -> list[PostableAlert]:
    """Return the alerts of a request's body.

    Raises:
        NotAccepted: one of them is wrong; none is taken then.
    """
    try:
        found = msgspec.json.decode(body, type=list[PostableAlert])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotAccepted(f"no list of alerts: {error}") from error
    if len(found) > MOST:
        raise NotAccepted(f"{len(found)} alerts at once: send at most {MOST}")
    for number, alert in enumerate(found):
        _check(alert, f"alert {number}")
    return found


def _check(alert: PostableAlert, which: str) -> None:
    if not any(alert.labels.values()):
        raise NotAccepted(f"{which}: at least one label is needed")
    for names in (alert.labels, alert.annotations):
        if len(names) > LABELS:
            raise NotAccepted(f"{which}: at most {LABELS} labels and annotations each")
        for name, value in names.items():
            if not name or len(name) > LENGTH or len(value) > LENGTH:
                raise NotAccepted(f"{which}: {name[:40]!r}: a name, and at most {LENGTH} characters each")
    for at in (alert.starts_at, alert.ends_at):
        if at is not None and at.tzinfo is None:
            raise NotAccepted(f"{which}: a time without an offset could be any hour")
    start, end = _set(alert.starts_at), _set(alert.ends_at)
    if start is not None and end is not None and end < start:
        raise NotAccepted(f"{which}: it ends before it starts")
    if len(alert.generator_url) > LENGTH:
        raise NotAccepted(f"{which}: generatorURL has more than {LENGTH} characters")


def span(alert: PostableAlert, now: datetime) -> tuple[datetime, datetime]:
    """Return since when and until when an alert holds, as Alertmanager completes what is not set."""
    end = _set(alert.ends_at)
    start = _set(alert.starts_at) or min(end or now, now)
    return start, end or now + RESOLVE_TIMEOUT


def _set(at: datetime | None) -> datetime | None:
    return None if at is None or not 1900 <= at.year < 9999 else at


def labels_of(alert: PostableAlert) -> dict[str, str]:
    """Return the labels; one with an empty value is none."""
    return {storable(name): storable(value) for name, value in alert.labels.items() if value}


def annotations_of(alert: PostableAlert) -> dict[str, str]:
    """Return the annotations."""
    return {storable(name): storable(value) for name, value in alert.annotations.items()}


def severity_of(alert: PostableAlert) -> Severity:
    """Return how bad it is, by its label `severity`."""
    return SEVERITIES.get(alert.labels.get("severity", "").strip().lower(), Severity.WARNING)


def rule_of(alert: PostableAlert) -> str:
    """Return as which rule it is listed: `HighErrorRate` as `external-high-error-rate`.

    A name of other letters, or a long one, ends with a part of its hash, so that no two are one.
    """
    name = alert.labels.get("alertname") or "unnamed"
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\s_.:/-]+", "-", name).lower().strip("-")
    plain = re.sub(r"[^a-z0-9-]", "", words).strip("-")
    rule = f"external-{plain}"
    if plain == words and len(rule) <= RULE_LENGTH:
        return rule
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{rule[: RULE_LENGTH - 9].rstrip('-')}-{digest}"


def sentence_of(alert: PostableAlert) -> str:
    """Return what it says, in the sender's language: its summary, else its description, else its name."""
    said: Sequence[str | None] = (
        alert.annotations.get("summary"),
        alert.annotations.get("description"),
        alert.annotations.get("message"),
        alert.labels.get("alertname"),
    )
    return storable(next((text for text in said if text), "unnamed"), 500)
