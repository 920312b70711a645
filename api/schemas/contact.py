"""How a person is told of alerts, as bodies and answers carry it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from people.contact_settings import CHANNELS, MOST_SPANS, MOST_STEPS


class StepOut(BaseModel):
    """By which channel a person is told how long after an alert was to be told to them."""

    model_config = ConfigDict(extra="forbid")

    channel: str = Field(max_length=20, examples=["sms"])
    after_s: float = Field(ge=0, le=86_400, allow_inf_nan=False, examples=[300])


class QuietHoursOut(BaseModel):
    """A local span of the day in which what is less severe than `below` waits until its end."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, serialize_by_alias=True)

    from_: str = Field(alias="from", max_length=5, examples=["22:00"])
    until: str = Field(max_length=5, examples=["06:00"])
    below: str = Field(max_length=8, examples=["major"])


Channels = Annotated[
    dict[str, Any],
    Field(
        max_length=len(CHANNELS),
        examples=[{"ntfy": "rima-alerts", "sms": "+961 3 123 456"}],
        description=f"address, or a list of addresses, by channel: {', '.join(CHANNELS)}",
    ),
]
Steps = Annotated[
    list[StepOut],
    Field(
        max_length=MOST_STEPS,
        description="empty: all channels at once, SMS after five minutes where there is another",
    ),
]
Quiet = Annotated[list[QuietHoursOut], Field(max_length=MOST_SPANS, description="empty: never")]


class ContactOut(BaseModel):
    """How a person is told of alerts."""

    channels: dict[str, Any]
    steps: list[StepOut]
    quiet_hours: list[QuietHoursOut]
    language: str = Field(examples=["ar"], description="of messages")
    email: str | None = Field(description="as an administrator said it")
    phone: str | None = Field(description="as an administrator said it")


class ContactChanges(BaseModel):
    """What to change; members left out stay."""

    model_config = ConfigDict(extra="forbid")

    channels: Channels = {}
    steps: Steps = []
    quiet_hours: Quiet = []
    language: str = Field(default="en", max_length=2, examples=["ar"])
