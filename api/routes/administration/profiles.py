"""Profiles: how models of other vendors are read, and what one makes of a message. Nothing is stored."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any, Self

from fastapi import APIRouter
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.context import AppContext, UsesContext
from api.http.problems import Problem
from devices.codecs.codec import CodecFailed, CodecsAway
from devices.codecs.trying import try_all
from devices.profiles import Profiles
from devices.profiles.shown import described, measured
from devices.profiles.trial import ProfileTrial, TrialMessage
from devices.registry.errors import Invalid, NotFound
from devices.wire.adapters.formats import FORMATS
from devices.wire.adapters.profile import Profile, ProfileError, ProfileRefused, parse
from devices.wire.adapters.profile.message import decoded
from devices.wire.adapters.uplink import Uplink

router = APIRouter(prefix="/profiles", tags=["profiles"])

Name = Annotated[str, PathParameter(max_length=64)]
MOST_LISTED = 1000
MOST_TRIED = 50
"""Uplinks of one message that are tried."""


class ProfileOut(BaseModel):
    """One profile."""

    profile: str = Field(examples=["milesight-em310-udl"])
    title: dict[str, str] = Field(examples=[{"en": "Ultrasonic distance sensor"}])
    vendor: str
    model: str
    kinds: list[str] = Field(description="of the devices that its messages are of")
    documented: str = Field(description="where the vendor describes the format")
    codec: str | None = Field(description="the JavaScript beside it that decodes the bytes")
    commands: list[str] = Field(description="what its devices can be told by their network server")
    own: bool = Field(description="of NABD_PROFILES_DIR, and not one that comes with Nabd")


class ProfileKindOut(BaseModel):
    """A profile that comes with Nabd, for a kind that is not declared."""

    profile: str = Field(examples=["milesight-em500-smtc"])
    kind: str = Field(examples=["soil_probe"])


class ProfileMistakeOut(BaseModel):
    """What is wrong with a file of NABD_PROFILES_DIR; what ran of it before stays."""

    file: str = Field(examples=["ours.toml"])
    line: int
    column: int
    detail: str
    suggestion: str | None


class ProfilesOut(BaseModel):
    """All profiles by name."""

    items: list[ProfileOut] = Field(max_length=MOST_LISTED)
    waiting: list[ProfileKindOut] = Field(max_length=MOST_LISTED)
    refused: list[ProfileMistakeOut] = Field(max_length=MOST_LISTED)


class ProfileMeasurementOut(BaseModel):
    """Where one measurement stands."""

    kind: str
    measurement: str = Field(examples=["battery_v"])
    paths: list[str] = Field(examples=[["battery"]], description="the first one that was measured counts")
    unit: str = Field(examples=["mV"], description="of the value where it stands")
    becomes: str = Field(examples=["V"], description="the measurement's own unit")


class ProfileExampleOut(BaseModel):
    """A documented message and the readings that it gives; none where it is refused."""

    says: str
    hex: str | None = Field(description="the device's bytes")
    port: int | None
    text: str | None = Field(description="the message, where it is not bytes")
    gives: list[dict[str, Any]]


class OneProfileOut(ProfileOut):
    """One profile, all of it."""

    measurements: list[ProfileMeasurementOut]
    examples: list[ProfileExampleOut]
    source: str = Field(description="its file, to begin one of your own")


class ProfileQuestion(BaseModel):
    """What would become of a message: `hex` or `sample`, by the profile of that name or by `source`."""

    model_config = ConfigDict(extra="forbid")

    profile: str | None = Field(default=None, max_length=64, examples=["milesight-em310-udl"])
    source: str | None = Field(
        default=None, max_length=262_144, description="a profile in TOML, in its place"
    )
    hex: str | None = Field(default=None, max_length=1024, examples=["01755c03824408040001"])
    port: int | None = Field(default=None, ge=0, le=255, strict=True, examples=[85])
    counter: int | None = Field(default=None, ge=0, lt=2**63, strict=True)
    sample: dict[str, Any] | list[Any] | None = Field(default=None, description="a message in JSON")
    format: str = Field(default="", max_length=32, description=f"of it: {', '.join(FORMATS)}; empty: plain")
    device: str = Field(default="", max_length=64)
    topic: str = Field(default="", max_length=512)

    @model_validator(mode="after")
    def _says_one_of_each(self) -> Self:
        if (self.profile is None) == (self.source is None):
            raise ValueError("give either profile or source")
        if (self.hex is None) == (self.sample is None):
            raise ValueError("give either hex or sample")
        return self


class ProfileRemarkOut(BaseModel):
    """What is said of one value of a message."""

    where: str
    value: Any
    why: str


class ProfileTrialOut(BaseModel):
    """What became of one uplink."""

    readings: list[dict[str, Any]] = Field(description="kind, device, ts, boot, seq and measurements")
    refused: str | None = Field(description="why no reading results")
    problems: list[ProfileRemarkOut] = Field(description="what could not be converted")
    absent: list[ProfileRemarkOut] = Field(description="what says of itself that it was not measured")
    unread: list[ProfileRemarkOut] = Field(description="what nothing in the profile asks for")


class ProfileTrialsOut(BaseModel):
    """What became of a message: one trial for each uplink in it."""

    profile: str
    trials: list[ProfileTrialOut] = Field(max_length=MOST_TRIED)


@router.get("", summary="The profiles there are")
async def list_profiles(context: UsesContext) -> ProfilesOut:
    """Return the profiles that come with Nabd and your own, and what is wrong with files of yours."""
    found = await _current(context)
    return ProfilesOut(
        items=[ProfileOut(**_described(found, name)) for name in found][:MOST_LISTED],
        waiting=[ProfileKindOut(profile=name, kind=kind) for name, kind in found.waiting.items()],
        refused=[_mistake(error) for error in found.refused][:MOST_LISTED],
    )


@router.post("/test", summary="Say what a profile makes of a message")
async def test_profile(question: ProfileQuestion, context: UsesContext) -> ProfileTrialsOut:
    """Return the readings that result, and what was left of the message. Nothing is sent or stored."""
    found = await _current(context)
    profile = await _asked(question, context, found)
    uplinks = await asyncio.to_thread(_uplinks, question, profile, context)
    codec = found.codec(profile.name) if question.profile is not None else None
    if profile.codec and codec is None:
        raise Invalid("source", "a codec runs from a file beside its profile: put both where profiles lie")
    trials = await _tried(context, profile, codec, uplinks, question.topic)
    return ProfileTrialsOut(
        profile=profile.name,
        trials=[ProfileTrialOut.model_validate(trial, from_attributes=True) for trial in trials],
    )


@router.get("/{profile}", summary="One profile")
async def get_profile(profile: Name, context: UsesContext) -> OneProfileOut:
    """Return where each measurement stands, the documented messages, and the file."""
    found = await _current(context)
    if profile not in found:
        raise NotFound("profile", profile)
    one = found[profile]
    measurements = [ProfileMeasurementOut(**row) for row in measured(one)]
    examples = [
        ProfileExampleOut(
            says=example.says,
            hex=example.uplink.payload.hex() if example.uplink.payload is not None else None,
            port=example.uplink.port,
            text=example.uplink.raw.decode() if example.uplink.payload is None else None,
            gives=[dict(given) for given in example.gives],
        )
        for example in one.examples
    ]
    return OneProfileOut(
        **_described(found, profile), measurements=measurements, examples=examples, source=one.source
    )


async def _current(context: AppContext) -> Profiles:
    # Files are looked at; one question after the other, as the collection wants it.
    async with context.profiles_lock:
        return await asyncio.to_thread(context.profiles.current)


async def _asked(question: ProfileQuestion, context: AppContext, found: Profiles) -> Profile:
    if question.source is None:
        name = question.profile or ""
        if name not in found:
            raise NotFound("profile", name)
        return found[name]
    try:
        return await asyncio.to_thread(parse, question.source, context.kinds)
    except ProfileRefused as refused:
        listed = [
            {"detail": e.message, "line": e.line, "column": e.column, "suggestion": e.suggestion}
            for e in refused.errors
        ]
        raise Problem(422, "invalid", str(refused.errors[0]), errors=listed) from refused


def _uplinks(question: ProfileQuestion, profile: Profile, context: AppContext) -> list[Uplink]:
    if question.format and question.format not in FORMATS:
        raise Invalid("format", f"known are {', '.join(FORMATS)}")
    try:
        message = TrialMessage(
            document=None if question.hex is not None else _document(question.sample),
            payload=decoded(question.hex, "hex") if question.hex is not None else None,
            port=question.port,
            counter=question.counter,
            device=question.device,
            topic=question.topic,
            format=question.format,
            at=context.now(),
        )
        return message.uplinks(profile.message)[:MOST_TRIED]
    except ValueError as error:
        raise Invalid("sample" if question.hex is None else "hex", str(error)) from error


async def _tried(
    context: AppContext, profile: Profile, codec: Path | None, uplinks: list[Uplink], topic: str
) -> list[ProfileTrial]:
    """Try a message, as one of the few that are tried at once: each may start a process."""
    if context.trials.locked():
        raise Problem(503, "unavailable", "other messages are being tried", headers={"Retry-After": "2"})
    try:
        async with context.trials:
            return await try_all(profile, codec, uplinks, context.now(), topic)
    except CodecFailed as error:
        raise Invalid("codec", f"{profile.codec}: {error}") from error
    except CodecsAway as error:
        raise Problem(503, "unavailable", f"codec {profile.codec}: {error}") from error


def _document(sample: object) -> bytes:
    """Return a sample as its bytes.

    Raises:
        ValueError: nothing that is sent can be it, such as half of a surrogate pair.
    """
    return json.dumps(sample, ensure_ascii=False, allow_nan=False).encode()


def _described(found: Profiles, name: str) -> dict[str, Any]:
    return {**described(found[name]), "own": found.is_own(name)}


def _mistake(error: ProfileError) -> ProfileMistakeOut:
    return ProfileMistakeOut(
        file=Path(error.file).name,
        line=error.line,
        column=error.column,
        detail=error.message,
        suggestion=error.suggestion,
    )
