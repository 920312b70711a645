"""What the kinds of device declare: measurements with units, ranges and labels, and how they are drawn."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.context import UsesContext
from api.http import pages
from devices.commands.configuration import settable
from devices.kinds.commands import known_commands
from devices.kinds.kind import Command, Cycle, Kind

router = APIRouter(tags=["kinds"])


class CycleOut(BaseModel):
    """What a measurement goes through again and again, counted where it begins anew."""

    label: dict[str, str] = Field(examples=[{"en": "Emptied", "fr": "Vidé", "ar": "أُفرغت"}])
    falls_by: float | None = None
    into: list[str] = []


class MeasurementOut(BaseModel):
    """One measurement of a kind; `low` and `high` are physical limits, in `unit` (UCUM)."""

    name: str = Field(examples=["temperature_c"])
    label: dict[str, str] = Field(examples=[{"en": "Temperature", "fr": "Température", "ar": "الحرارة"}])
    unit: str = Field(examples=["Cel"])
    type: str = Field(examples=["number"])
    low: float | None = None
    high: float | None = None
    choices: list[str] = []
    counter: bool = False
    circular: bool = False
    floor: float | None = Field(None, description="below it a meter cannot tell little from nothing")
    reference: dict[str, str] = Field({}, description="what the value is counted from, by language")
    cycle: CycleOut | None = Field(None, description="what hours, days and GET /statistics count of it")


class PanelOut(BaseModel):
    """One chart: measurements that belong on the same axis."""

    title: dict[str, str]
    measurements: list[str]


class AttributeOut(BaseModel):
    """Something known about a device that it does not measure."""

    name: str
    label: dict[str, str]
    unit: str
    type: str
    default: float | str | bool | None = None


class ChecklistItemOut(BaseModel):
    """One point that whoever worked on a device answers in their report."""

    name: str = Field(examples=["lamp_lit"])
    label: dict[str, str] = Field(examples=[{"en": "The lamp lights", "fr": "...", "ar": "..."}])


class ArgumentOut(BaseModel):
    """One value that goes with a command, or that a device can be set to; `low` and `high` are included."""

    name: str = Field(examples=["pct"])
    label: dict[str, str]
    unit: str
    type: str = Field(examples=["number"])
    low: float | None = None
    high: float | None = None
    required: bool = True


class KnownCommandOut(BaseModel):
    """Something that devices of a kind can be told."""

    name: str = Field(examples=["set_dimming"])
    label: dict[str, str]
    arguments: list[ArgumentOut]


class KindOut(BaseModel):
    """One kind of device as declared."""

    name: str
    title: dict[str, str]
    icon: str
    headline: str = Field(description="the measurement that says most at a glance")
    measurements: list[MeasurementOut]
    attributes: list[AttributeOut]
    panels: list[PanelOut]
    verify_within: str = Field(
        examples=["3 intervals", "2 nights", "1d"],
        description="how soon readings show whether work on it helped",
    )
    commands: list[KnownCommandOut] = Field([], description="what its devices can be told")
    configuration: list[ArgumentOut] = Field([], description="what its devices can be set to")
    by_hand: list[str] = Field([], description="measurements that people enter, in the order of the form")
    checklist: list[ChecklistItemOut] = Field([], description="of reports about work on a device of the kind")


@router.get("/kinds", response_model=dict[str, list[KindOut]], summary="List declared kinds")
async def list_kinds(request: Request, context: UsesContext) -> Response:
    """Return every kind this platform knows, as `{"items": [...]}`."""
    items = [_kind_out(kind).model_dump(mode="json") for kind in context.kinds.values()]
    return pages.tagged(request, msgspec.json.encode({"items": items}))


def _kind_out(kind: Kind) -> KindOut:
    return KindOut(
        name=kind.name,
        title=dict(kind.title),
        icon=kind.icon,
        headline=kind.headline,
        measurements=[MeasurementOut(**_members(m, MeasurementOut)) for m in kind.measurements],
        attributes=[AttributeOut(**_members(a, AttributeOut)) for a in kind.attributes],
        panels=[PanelOut(title=dict(p.title), measurements=list(p.measurements)) for p in kind.panels],
        verify_within=kind.verify_within,
        commands=[_command_out(command) for command in known_commands(kind).values()],
        configuration=[ArgumentOut(**_members(a, ArgumentOut)) for a in settable(kind).values()],
        by_hand=[m.name for m in kind.by_hand],
        checklist=[ChecklistItemOut(name=one.name, label=dict(one.label)) for one in kind.checklist],
    )


def _command_out(command: Command) -> KnownCommandOut:
    arguments = [ArgumentOut(**_members(a, ArgumentOut)) for a in command.arguments]
    return KnownCommandOut(name=command.name, label=dict(command.label), arguments=arguments)


def _members(declared: object, model: type[BaseModel]) -> dict[str, Any]:
    return {name: _plain(getattr(declared, name)) for name in model.model_fields}


def _plain(value: Any) -> Any:
    if isinstance(value, Cycle):
        return CycleOut(**_members(value, CycleOut))
    return list(value) if isinstance(value, tuple) else value
