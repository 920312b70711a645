"""Teams, on-call schedules and routes as bodies and answers carry them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alerts.transition import Severity
from api.http.times import Asked, Instant

Title = Annotated[
    dict[str, str], Field(max_length=3, examples=[{"en": "Lights", "fr": "Éclairage", "ar": "إنارة"}])
]
Names = Annotated[
    list[Annotated[str, Field(max_length=63)]], Field(max_length=1000, examples=[["amal", "rima"]])
]
Layers = Annotated[
    list[dict[str, Any]],
    Field(
        max_length=10,
        examples=[
            [
                {
                    "people": ["amal", "rima"],
                    "start": "2026-03-02",
                    "turn_days": 7,
                    "handover": "08:00",
                    "hours": "18:00-08:00",
                    "days": "workdays",
                }
            ]
        ],
        description="people in turns; the first layer that has somebody at an instant counts",
    ),
]
NAME_FIELD = Field(max_length=63, examples=["lights"])


class TeamIn(BaseModel):
    """A team to add."""

    model_config = ConfigDict(extra="forbid")

    name: str = NAME_FIELD
    title: Title = {}
    municipality: str | None = Field(default=None, max_length=32, description="null: of all")
    members: Names = []


class TeamChanges(BaseModel):
    """What to change; members left out stay."""

    model_config = ConfigDict(extra="forbid")

    title: Title = {}
    members: Names = []


class TeamOut(BaseModel):
    """People who are told together."""

    name: str
    title: dict[str, str]
    municipality: str | None
    members: list[str]
    version: int = Field(description="also the ETag")


class ScheduleIn(BaseModel):
    """An on-call schedule to add."""

    model_config = ConfigDict(extra="forbid")

    name: str = NAME_FIELD
    title: Title = {}
    municipality: str | None = Field(default=None, max_length=32, description="null: of all")
    time_zone: str | None = Field(
        default=None, max_length=64, examples=["Asia/Beirut"], description="null: that of the municipality"
    )
    layers: Layers


class ScheduleChanges(BaseModel):
    """What to change; members left out stay."""

    model_config = ConfigDict(extra="forbid")

    title: Title = {}
    time_zone: str | None = Field(default=None, max_length=64)
    layers: Layers = []


class ScheduleOut(BaseModel):
    """People who are told by turns."""

    name: str
    title: dict[str, str]
    municipality: str | None
    time_zone: str | None
    layers: list[dict[str, Any]]
    version: int = Field(description="also the ETag")


class ShiftOut(BaseModel):
    """A span in which one person is on call."""

    person: str | None = Field(description="null: nobody")
    display_name: str | None
    from_at: Instant
    until_at: Instant = Field(description="not included")
    override: bool = Field(description="they stand in for the turns")


class StandInOut(BaseModel):
    """Somebody who stands in for the turns."""

    id: int
    person: str
    from_at: Instant
    until_at: Instant = Field(description="not included")
    uid: str | None = Field(description="of the calendar entry that it came from")


class ScheduleWithShiftsOut(ScheduleOut):
    """A schedule, who is on call now, the next four weeks, and who stands in."""

    on_call: str | None = Field(description="now; null: nobody")
    shifts: list[ShiftOut]
    overrides: list[StandInOut]


class StandInIn(BaseModel):
    """Somebody who stands in for the turns."""

    model_config = ConfigDict(extra="forbid")

    person: str = Field(max_length=63, examples=["rima"])
    from_at: Asked
    until_at: Asked = Field(description="not included; at most 366 days after the beginning")


class CalendarImportOut(BaseModel):
    """Who stands in by a calendar."""

    overrides: list[StandInOut]


class RoutesOut(BaseModel):
    """The routes as they were written. version 0 is the default, where nobody has applied any."""

    version: int = Field(description="also the ETag")
    document: str = Field(description="YAML")
    author: str
    applied_at: Instant | None


class RouteChangeOut(BaseModel):
    """One version of the routes."""

    version: int
    author: str
    applied_at: Instant | None


class RouteHistoryOut(BaseModel):
    """Every version that was applied, oldest first."""

    items: list[RouteChangeOut]


class RouteQuestion(BaseModel):
    """An alert that there might be."""

    model_config = ConfigDict(extra="forbid")

    device: str = Field(max_length=64, examples=["light-0042"])
    severity: Severity
    rule: str = Field(default="", max_length=200, description="empty: none that a route names")
    at: Asked | None = Field(default=None, description="now without it")


class PlannedContactOut(BaseModel):
    """One message that would be sent."""

    step: int
    receiver: str = Field(examples=["on-call:tripoli-night"])
    person: str | None = Field(description="null: nobody at that instant")
    display_name: str | None
    channel: str | None = Field(description="null: there is no way to tell them")
    at: Instant | None
    after_s: float | None = Field(description="since the alert was committed")


class RouteAnswerOut(BaseModel):
    """Who would be told, if nobody acknowledges."""

    route: str
    municipality: str
    kind: str
    district: str | None
    severity: Literal["critical", "major", "minor", "warning"]
    rule: str
    at: Instant
    repeat_s: float | None = Field(description="how often the last step is said again; null: never")
    group_for_s: float
    resolved: bool = Field(description="whether the end is told")
    told: list[PlannedContactOut]
    not_set_up: list[str] = Field(description="channels in `told` by which this installation sends nothing")
