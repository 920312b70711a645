"""Alerts and what happened to them as the API shows them, in lists and in the live stream alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field

from alerts.events import AlertEvent, Cursor
from alerts.holds import held
from alerts.queue import Alert
from alerts.silences import Silence, silenced
from alerts.transition import Severity
from api.http.times import Instant
from devices.kinds import Kinds
from devices.kinds.kind import Kind
from devices.texts.languages import called_everywhere
from people.identity import Identity
from people.roles import Permission
from rules.explain import evidence
from rules.explain.sentence import sentence
from store.connection import Connection
from work.listing import AlertWork, work_of_alerts
from work.order import WorkState


class AlertOut(BaseModel):
    """One alert of one rule on one device."""

    id: int
    rule: str = Field(examples=["bin-overflow"])
    rule_version: int
    family: str = Field(
        description="what the rule is called to judge: `stream`, `silent`, `children_down`, `children_apart`,"
        " `not_refreshed`, `neighbours`, `forecast`, `behind`; `silent` says that nothing was heard from the"
        " device,"
        " `external` that another system says so",
        examples=["stream"],
    )
    device: str = Field(examples=["bin-0007"])
    device_title: str = Field(examples=["Al-Tall square"])
    device_titles: dict[str, str] = Field(
        default={},
        examples=[{"ar": "ساحة التل"}],
        description="by language, where it is called otherwise there",
    )
    kind: str = Field(examples=["bin"])
    municipality: str = Field(examples=["tripoli"])
    district: str | None = Field(default=None, description="code of the one in which the device stands now")
    district_title: dict[str, str] | None = Field(default=None, description="its name, by language")
    street: dict[str, str] | None = Field(default=None, description="the nearest one, by language")
    parent: str | None = Field(default=None, description="what feeds the device", examples=["circuit-17"])
    lat: float | None = Field(default=None, description="where the device is registered", examples=[34.4367])
    lon: float | None = Field(default=None, examples=[35.8497])
    state: Literal["firing", "resolved"]
    unknown: bool = Field(
        description="still firing, but its device is silent: nobody can say whether it holds"
    )
    inhibited_by: int | None = Field(
        default=None,
        description="the open alert that explains this one: nobody needs to be called for this one",
    )
    held_until: Instant | None = Field(
        default=None,
        description="our time until which such an alert may still open; null where no rule explains this one",
    )
    suppress_by: list[str] = Field(
        default=[], description="rules whose open alert explains this one", examples=[["circuit-down"]]
    )
    severity: Severity
    opened_at: Instant = Field(description="device time at which the condition had held long enough")
    detected_at: Instant = Field(description="our time at which we knew")
    resolved_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None = Field(description="null also for who may not see names")
    assigned_to: str | None = Field(
        default=None,
        examples=["rima"],
        description="whose work it is, by name; null also for who may not see names",
    )
    assignee: str | None = Field(
        default=None, examples=["ريما حداد"], description="the same as others see them"
    )
    silence: int | None = Field(
        default=None, description="the silence for which nobody is told of this alert; null where it has none"
    )
    silenced_until: Instant | None = Field(default=None, description="when that silence ends, not included")
    work_order: int | None = Field(
        default=None, description="the work order that it is in: the open one, else the newest; null: none"
    )
    work_state: WorkState | None = Field(default=None, description="how far that order is")
    work_due: Instant | None = Field(
        default=None, description="when its open order is to be accepted, or done; null: no deadline"
    )
    held_by: str | None = Field(
        default=None,
        description="who works on the device, so that nobody is told of this alert; null: nobody",
        examples=["work order 12"],
    )
    summary: dict[str, str] = Field(
        description="by language; while the alert is open with the newest values",
        examples=[{"en": "Bin bin-0007 is 91% full", "fr": "...", "ar": "..."}],
    )
    began: dict[str, str] | None = Field(
        default=None, description="the same sentence when the alert began; null where it has not changed"
    )
    course: dict[str, str] | None = Field(
        default=None,
        description="from which value to which, by language; null where nothing newer was measured",
        examples=[{"en": "420 °C now, 65 °C when it began", "fr": "...", "ar": "..."}],
    )
    runbook: dict[str, str] = Field(
        description="what to do, by language",
        examples=[{"en": "Send the crew that is nearest.", "fr": "...", "ar": "..."}],
    )
    evidence: dict[str, Any]


class AlertEventOut(BaseModel):
    """One thing that happened to one alert; `id` is its cursor in the live stream."""

    id: str = Field(examples=["7421-118"])
    alert_id: int
    type: Literal[
        "opened", "severity", "resolved", "acknowledged", "unacknowledged", "lapsed", "comment", "inhibited",
        "surfaced", "assigned", "unassigned", "declined",
    ]  # fmt: skip
    at: Instant
    severity: Severity
    observed_at: Instant | None = None
    received_at: Instant | None = None
    evidence: dict[str, Any] | None = None
    author: str | None = None
    body: str | None = None


class EvidenceOut(BaseModel):
    """One value that made an alert fire, or one limit it was held against, in words by language."""

    name: str = Field(examples=["fill_pct"])
    label: dict[str, str] = Field(examples=[{"en": "Fill level", "fr": "Remplissage", "ar": "الامتلاء"}])
    value: dict[str, str] = Field(
        description="as people read it; truths are words", examples=[{"en": "91", "fr": "91", "ar": "91"}]
    )
    raw: float | bool | str | None = Field(examples=[91])
    unit: str = Field(description="UCUM, empty where there is none", examples=["%"])
    limit: bool = Field(description="a limit, not a value")


class AlertWithHistoryOut(AlertOut):
    """One alert, what made it fire, and everything that happened to it, oldest first."""

    terms: list[EvidenceOut] = Field(description="`evidence` in the words of the kind and the rule")
    history: list[AlertEventOut]


def evidence_out(alert: Alert, kind: Kind | None) -> list[EvidenceOut]:
    """Return what made an alert fire, in every language."""
    found = evidence.labelled(alert.evidence, kind, alert.labels)
    return [EvidenceOut(**{name: getattr(one, name) for name in EvidenceOut.model_fields}) for one in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertContext:
    """What stands beside alerts, by their numbers: silences, orders that they are in, who holds them back."""

    silences: Mapping[int, Silence]
    work: Mapping[int, AlertWork]
    holders: Mapping[int, str]


NOTHING_BESIDE = AlertContext(silences={}, work={}, holders={})


async def context_of(connection: Connection, alerts: Sequence[int], now: int) -> AlertContext:
    """Return what stands beside alerts at an instant (microseconds)."""
    if not alerts:
        return NOTHING_BESIDE
    return AlertContext(
        silences=await silenced(connection, alerts, now),
        work=await work_of_alerts(connection, alerts),
        holders=await held(connection, alerts, now),
    )


def alert_out(alert: Alert, kinds: Kinds, beside: AlertContext) -> AlertOut:
    """Return an alert as shown."""
    return AlertOut(**members(alert, kinds, beside))


def members(alert: Alert, kinds: Kinds, beside: AlertContext) -> dict[str, Any]:
    """Return the members of an alert as shown."""
    silence, work = beside.silences.get(alert.id), beside.work.get(alert.id)
    said = sentence(
        alert.template,
        stored=alert.summary,
        names={
            "device": called_everywhere(alert.device_title, alert.device_titles),
            "municipality": alert.municipality,
        },
        evidence=alert.evidence,
        first=alert.first or alert.evidence,
        newest=alert.newest,
        quality=alert.newest_quality or 0,
        kind=kinds.get(alert.kind),
    )
    rendered = {
        "summary": said.summary,
        "began": said.began,
        "course": said.course,
        "silence": silence.id if silence else None,
        "silenced_until": silence.until_at if silence else None,
        "work_order": work.order if work else None,
        "work_state": work.state if work else None,
        "held_by": beside.holders.get(alert.id),
    }
    return {n: rendered[n] if n in rendered else getattr(alert, n) for n in AlertOut.model_fields}


AnyAlert = TypeVar("AnyAlert", bound=AlertOut)


def alert_for(identity: Identity, alert: AnyAlert) -> AnyAlert:
    """Return an alert as somebody may see it: without names of people where those are not for them."""
    if identity.may_in(Permission.READ_NAMES, alert.municipality):
        return alert
    hidden: dict[str, Any] = {
        "acknowledged_by": None,
        "assigned_to": None,
        "assignee": None,
        "evidence": _without_words(alert.evidence),
    }
    if isinstance(alert, AlertWithHistoryOut):
        hidden["terms"] = [term for term in alert.terms if term.name not in WORDS]
    return alert.model_copy(update=hidden)


WORDS = frozenset({"author", "reason"})
"""Members of evidence that say who did something, or what they wrote: of a device that was retired, and of a
rule that was taken out of force while names stood in its place."""


def _without_words(evidence: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in evidence.items() if name not in WORDS}


def event_for(identity: Identity, event: AlertEventOut, municipality: str) -> AlertEventOut:
    """Return an event as somebody may see it: without names, and without what people wrote."""
    if identity.may_in(Permission.READ_NAMES, municipality):
        return event
    hidden: dict[str, Any] = {"author": None, "evidence": event.evidence and _without_words(event.evidence)}
    if event.type in ("comment", "assigned", "declined"):
        hidden["body"] = None
    return event.model_copy(update=hidden)


def event_out(event: AlertEvent) -> AlertEventOut:
    """Return an event as shown."""
    shown = {name: getattr(event, name) for name in AlertEventOut.model_fields if name not in ("id", "type")}
    return AlertEventOut(id=format_cursor(event.cursor), type=event.type.value, **shown)


def format_cursor(cursor: Cursor) -> str:
    """Return a cursor as the `id` of a live event."""
    return f"{cursor[0]}-{cursor[1]}"


def parse_cursor(text: str) -> Cursor:
    """Return the cursor in a `Last-Event-ID`.

    Raises:
        ValueError: it is no cursor.
    """
    xid, dash, event = text.strip().partition("-")
    if not (dash and xid.isdecimal() and event.isdecimal() and len(text) <= 40):
        raise ValueError("an event id is two whole numbers with a hyphen between")
    cursor = int(xid), int(event)
    if max(cursor) >= 2**63:
        raise ValueError("an event id has at most 63 bits a number")
    return cursor
