"""Rules as the API shows and takes them: text in, versions, findings and explanations out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field

from alerts.transition import Severity
from api.http.times import Instant
from api.schemas.alerts import EvidenceOut
from people.identity import Identity
from people.roles import Permission
from rules.catalogue.versions import RuleChange, StoredRule
from rules.trial.findings import Findings

EXAMPLE: Mapping[str, Any] = {
    "id": "bin-overflow",
    "kind": "bin",
    "summary": {
        "en": "Bin {device} is {fill_pct:.0f}% full",
        "fr": "Le bac {device} est plein à {fill_pct:.0f} %",
        "ar": "الحاوية {device} ممتلئة بنسبة {fill_pct:.0f}%",
    },
    "levels": {"warning": "fill_pct >= 85", "critical": "fill_pct >= 95"},
    "clear": "fill_pct < 70",
    "for": "2 readings",
}


class RuleOut(BaseModel):
    """One version of a rule; `definition` is what a rule file says."""

    id: str = Field(examples=["bin-overflow"])
    version: int = Field(description="also the ETag")
    kind: str | None = Field(examples=["bin"], description="null: any kind")
    state: Literal["in force", "broken", "disabled"]
    created_at: Instant
    author: str = Field(examples=["Rima"], description="empty for rules that came with a new database")
    definition: dict[str, Any] = Field(examples=[EXAMPLE])
    broken_at: Instant | None
    broken_reason: str | None
    open_alerts: int
    shadow: Instant | None = Field(description="since when another text of it is on trial")


class RulePutOut(RuleOut):
    """A rule that was put into force; `warnings` say at which devices it can never look."""

    warnings: list[str] = Field(description="in sentences; they refuse nothing")


class RulesCheckedOut(BaseModel):
    """Rules that are written well; `warnings` say what might surprise."""

    rules: list[str] = Field(examples=[["bin-overflow"]])
    warnings: list[str] = Field(description="in sentences; they refuse nothing")


class RuleChangeOut(BaseModel):
    """Who did what to a rule."""

    at: Instant
    version: int | None
    action: str = Field(examples=["applied"])
    author: str = Field(examples=["Rima"])


class RuleWithHistoryOut(RuleOut):
    """One rule and everything that was done to it, oldest first."""

    history: list[RuleChangeOut]


class FoundOut(BaseModel):
    """One alert that would have been; `live`: the live rule raised it too."""

    device: str = Field(examples=["bin-0007"])
    severity: Severity
    opened_at: Instant
    ended_at: Instant | None
    live: bool


class FindingsOut(BaseModel):
    """What a rule on trial did, compared with the live rule. Days are UTC.

    `same` and `only_test` count the alerts on trial that the live rule raised too, and the others;
    `only_live` those that only the live rule raised; `flaps` those that came back within an hour.
    """

    rule: str = Field(examples=["bin-overflow"])
    since: Instant
    until: Instant
    readings: int
    devices_seen: int
    devices: int
    flaps: int
    first: Instant | None
    last: Instant | None
    live_alerts: int
    same: int
    only_test: int
    only_live: int
    per_day: dict[str, int] = Field(examples=[{"2026-03-01": 4}])
    alerts: list[FoundOut] = Field(description="at most 1000")
    missed: list[FoundOut] = Field(description="what only the live rule raised, at most 1000")
    notes: list[str] = Field(description="what the trial could not know")


class TrialOut(BaseModel):
    """Findings per rule; `complete` is false when time ran out, and the test then reached `until`."""

    complete: bool
    until: Instant
    readings: int
    findings: list[FindingsOut]
    skipped: list[str] = Field(description="always empty: every rule can be tested")


class ShadowOut(BaseModel):
    """A rule on trial beside the live one, and how they compare since it began."""

    rule: str = Field(examples=["bin-overflow"])
    author: str = Field(examples=["Rima"])
    created_at: Instant
    broken_reason: str | None
    definition: dict[str, Any] = Field(examples=[EXAMPLE])
    findings: FindingsOut


class MissingOut(BaseModel):
    """What must still happen; a next reading after `restarts_after` begins the count again."""

    readings: int
    seconds: float
    restarts_after: str | None


class LevelOut(BaseModel):
    """One severity of a rule."""

    severity: Severity
    condition: str = Field(examples=["fill_pct >= 85"])
    reached: bool
    holds: Literal["true", "false", "undecided"]
    since: str | None
    missing: MissingOut | None


class ReasonOut(BaseModel):
    """Why a term is undecided."""

    why: Literal["missing", "suspect", "no_attribute", "no_past", "not_a_number"]
    name: str


class TermOut(BaseModel):
    """One comparison of a rule on the reading that counts."""

    part: str = Field(examples=["levels.warning"])
    text: str = Field(examples=["fill_pct >= attr(overflow_at, 85)"])
    said: dict[str, str] = Field(description="the same for people, by language")
    value: float | bool | str | None = Field(examples=[91])
    limit: float | bool | str | None = Field(examples=[85])
    holds: Literal["true", "false", "undecided"]
    since: str | None
    reasons: list[ReasonOut]


class ExplanationOut(BaseModel):
    """How a rule stands on a device, and why; `sentences` say it by language."""

    rule: str = Field(examples=["bin-overflow"])
    version: int
    device: str = Field(examples=["bin-0007"])
    at: str = Field(examples=["2026-03-01T08:30:00Z"])
    time_zone: str = Field(description="the device's municipality's, in which the sentences tell times")
    state: Literal["inactive", "pending", "firing", "unknown"]
    severity: Severity | None
    since: str | None
    alert: int | None
    observed_at: str | None
    received_at: str | None
    silent_since: str | None
    deadline: str | None
    readings: int
    looks: Literal["true", "false", "undecided"] = Field(description="whether `when` holds")
    late_last: bool
    inhibited_by: int | None = Field(description="the open alert that explains this one")
    across: bool = Field(description="judged over many devices or by time: `evidence` instead of terms")
    evidence: dict[str, Any]
    fired_by: list[EvidenceOut] = Field(description="what made the open alert fire; empty where none is open")
    clear: str
    missing: MissingOut | None
    ends_missing: MissingOut | None
    levels: list[LevelOut]
    terms: list[TermOut]
    sentences: dict[str, list[str]] = Field(examples=[{"en": ["bin-overflow is not firing on bin-0007."]}])


AnyRule = TypeVar("AnyRule", RuleOut, RuleWithHistoryOut, ShadowOut)


def rule_out(rule: StoredRule) -> RuleOut:
    """Return a rule as shown."""
    return RuleOut(**rule_members(rule))


def rule_members(rule: StoredRule) -> dict[str, Any]:
    """Return the members of a rule as shown."""
    return {name: getattr(rule, name) for name in RuleOut.model_fields}


def rule_for(identity: Identity, rule: AnyRule) -> AnyRule:
    """Return a rule as somebody may see it: without names of people where those are not for them."""
    if identity.may(Permission.READ_NAMES):
        return rule
    hidden: dict[str, Any] = {"author": ""}
    if isinstance(rule, RuleWithHistoryOut):
        hidden["history"] = [change.model_copy(update={"author": ""}) for change in rule.history]
    return rule.model_copy(update=hidden)


def change_out(change: RuleChange) -> RuleChangeOut:
    """Return a change as shown."""
    return RuleChangeOut(**{name: getattr(change, name) for name in RuleChangeOut.model_fields})


def findings_out(found: Findings, most: int = 1000) -> FindingsOut:
    """Return findings as shown."""
    members = {name: getattr(found, name) for name in FindingsOut.model_fields}
    for name in ("alerts", "missed"):
        members[name] = [
            FoundOut(**{part: getattr(one, part) for part in FoundOut.model_fields})
            for one in members[name][:most]
        ]
    return FindingsOut(**members)
