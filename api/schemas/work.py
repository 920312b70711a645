"""Work orders as bodies and answers carry them, and as somebody may see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from alerts.transition import Severity
from api.http.times import Asked, Instant
from api.schemas.words import NO_CONTROL
from people.identity import Identity
from people.roles import Permission
from work import report
from work.event import FREE_TEXTS, WorkEvent, WorkEventType
from work.listing import Deadline, overdue
from work.order import Verification, WorkOrder, WorkOrigin, WorkState
from work.orders import MOST_ALERTS, TITLE_LENGTH
from work.photos import WorkPhoto
from work.report import CheckAnswer, CheckedItem, StoredReport, UsedPart, WorkReport
from work.steps import REASON_LENGTH
from work.suggestions import SuggestedTechnician

Text = Annotated[str, Field(max_length=report.TEXT_LENGTH, pattern=NO_CONTROL)]
Name = Annotated[str, Field(max_length=63)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, description="of the order as it was read; else any")]


class WorkOrderOut(BaseModel):
    """One work order."""

    id: int
    municipality: str = Field(examples=["tripoli"])
    device: str = Field(examples=["bin-0007"])
    kind: str = Field(examples=["bin"])
    district: str | None = Field(description="code of the one in which the device stands now")
    origin: WorkOrigin
    rule: str | None = Field(description="of the first alert", examples=["bin-overflow"])
    severity: Severity
    title: str = Field(description="empty where its alerts say it, and for who may not see names")
    state: WorkState
    assignee: str | None = Field(examples=["rima"], description="null also for who may not see names")
    team: str | None = Field(examples=["bins"])
    author: str | None = Field(description="null for who may not see names")
    alerts: list[int]
    created_at: Instant
    response_due_at: Instant | None = Field(description="until when it has to be accepted; null: no deadline")
    repair_due_at: Instant | None = Field(description="until when it has to be done; null: no deadline")
    overdue: list[Deadline] = Field(description="which deadlines an open order has missed")
    accepted_at: Instant | None
    arrived_at: Instant | None
    ended_at: Instant | None = Field(description="done, the last time, or cancelled")
    reopened: int = Field(description="how often it was done although its condition went on")
    verification: Verification | None = Field(description="whether readings show that it helped")
    verify_until: Instant | None
    verified_at: Instant | None
    version: int = Field(description="increased with every change; also the ETag of one")
    earlier: int = Field(description="orders of the device in the 90 days before it")
    device_title: str = Field(examples=["Al-Tall square"])
    device_titles: dict[str, str] = Field(description="by language, where it is called otherwise there")
    lat: float | None = Field(description="where the device is registered", examples=[34.4367])
    lon: float | None = Field(examples=[35.8497])
    district_title: dict[str, str] = Field(examples=[{"en": "Al-Mina", "fr": "El-Mina", "ar": "الميناء"}])
    street_title: dict[str, str] = Field(
        examples=[{"en": "Azmi Street", "fr": "Rue Azmi", "ar": "شارع عزمي"}]
    )
    summary: dict[str, str] = Field(description="what its first alert says; empty where it has none")


class WorkEventOut(BaseModel):
    """One thing that happened to an order."""

    id: int
    type: WorkEventType
    author: str | None = Field(description="null: the platform itself; also for who may not see names")
    body: dict[str, Any] = Field(examples=[{"assignee": "rima", "team": None}])
    happened_at: Instant = Field(description="by the clock of who did it")
    created_at: Instant = Field(description="when we heard of it")


class UsedPartIn(BaseModel):
    """Something that was used."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=report.NAME_LENGTH, pattern=NO_CONTROL, examples=["LED 60 W"])
    quantity: float = Field(default=1.0, gt=0, le=1_000_000, allow_inf_nan=False)
    unit: str = Field(
        default="", max_length=report.UNIT_LENGTH, pattern=NO_CONTROL, description="empty: pieces"
    )


class CheckedItemIn(BaseModel):
    """The answer to one item of the kind's checklist."""

    model_config = ConfigDict(extra="forbid")

    item: str = Field(min_length=1, max_length=report.NAME_LENGTH, examples=["lamp_lit"])
    answer: CheckAnswer
    remark: Text = ""


class WorkReportOut(BaseModel):
    """What somebody found and did; texts are empty for who may not see names."""

    number: int
    author: str | None
    found: str
    done: str
    parts: list[UsedPartIn]
    checklist: list[CheckedItemIn]
    reported_at: Instant


class WorkPhotoOut(BaseModel):
    """A photo, which is read at /work-orders/{order}/photos/{id}."""

    id: str
    author: str | None
    media_type: Literal["image/jpeg", "image/png", "image/webp"]
    width: int
    height: int
    size: int = Field(description="in bytes")
    sha256: str
    created_at: Instant


class SuggestedOut(BaseModel):
    """A technician to whom the order could be given; the most suitable come first."""

    name: str = Field(examples=["rima"])
    display_name: str
    knows_kind: bool = Field(description="the device's kind is among their skills")
    knows_district: bool
    open_orders: int


class ChecklistItemShown(BaseModel):
    """One point of the checklist of the device's kind."""

    name: str
    label: dict[str, str]


class WorkOrderWithHistoryOut(WorkOrderOut):
    """One work order with everything that happened to it, oldest first."""

    events: list[WorkEventOut]
    reports: list[WorkReportOut]
    photos: list[WorkPhotoOut] = Field(description="empty for who may not see names: people may be on them")
    checklist: list[ChecklistItemShown] = Field(description="of the device's kind, for the report")
    suggested: list[SuggestedOut] = Field(
        description="to whom it could be given; empty for who may not, and when it is over"
    )


class WorkOrderIn(BaseModel):
    """An order to make: from alerts of a device, or for a device with words."""

    model_config = ConfigDict(extra="forbid")

    device: str | None = Field(default=None, max_length=64, description="that of the alerts without it")
    alerts: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] = Field(
        default=[], max_length=MOST_ALERTS, examples=[[17]]
    )
    title: str = Field(
        default="",
        max_length=TITLE_LENGTH,
        pattern=NO_CONTROL,
        description="needed where there are no alerts",
    )
    severity: Severity | None = Field(
        default=None, description="the worst of the alerts without it; minor where there are none"
    )
    assignee: Name | None = None
    team: Name | None = None


class CrewIn(BaseModel):
    """To whom an order is given; both null: to nobody any more."""

    model_config = ConfigDict(extra="forbid")

    assignee: Name | None = Field(default=None, examples=["rima"])
    team: Name | None = None
    version: Version | None = None


class WorkStepIn(BaseModel):
    """A step, perhaps of some time ago: who had no network sends it later."""

    model_config = ConfigDict(extra="forbid")

    happened_at: Asked | None = Field(
        default=None, description="by the clock of who did it; at most 7 days back; now without it"
    )
    version: Version | None = None


class ReasonIn(WorkStepIn):
    """A step with its reason."""

    reason: str = Field(
        min_length=1, max_length=REASON_LENGTH, pattern=NO_CONTROL, examples=["The road is closed"]
    )


class WorkReportIn(WorkStepIn):
    """That it is done, and what was found and done."""

    found: Text = ""
    done: str = Field(min_length=1, max_length=report.TEXT_LENGTH, pattern=NO_CONTROL, examples=["New lid"])
    parts: list[UsedPartIn] = Field(default=[], max_length=report.MOST_PARTS)
    checklist: list[CheckedItemIn] = Field(default=[], max_length=report.MOST_ITEMS)

    def as_report(self) -> WorkReport:
        """Return the report alone."""
        return WorkReport(
            found=self.found,
            done=self.done,
            parts=[UsedPart(**part.model_dump()) for part in self.parts],
            checklist=[CheckedItem(**one.model_dump()) for one in self.checklist],
        )


class WorkCommentIn(BaseModel):
    """What somebody wants the others to know."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=report.TEXT_LENGTH, pattern=NO_CONTROL)
    happened_at: Asked | None = None


class WorkCommentOut(BaseModel):
    """The comment's number among the events of orders."""

    id: int


def members(order: WorkOrder, now: int) -> dict[str, Any]:
    """Return the members of an order as shown."""
    found = {n: getattr(order, n) for n in WorkOrderOut.model_fields if n != "overdue"}
    return found | {"alerts": list(order.alerts), "overdue": overdue(order, now)}


def order_out(order: WorkOrder, now: int, identity: Identity) -> WorkOrderOut:
    """Return an order as somebody may see it (`now` in microseconds)."""
    return order_for(identity, WorkOrderOut(**members(order, now)))


AnyOrder = TypeVar("AnyOrder", bound=WorkOrderOut)


def order_for(identity: Identity, order: AnyOrder) -> AnyOrder:
    """Return an order without names of people and what they wrote, where those are not for the reader."""
    if identity.may_in(Permission.READ_NAMES, order.municipality):
        return order
    hidden: dict[str, Any] = {"title": "", "assignee": None, "author": None}
    if isinstance(order, WorkOrderWithHistoryOut):
        hidden["events"] = [_event_without_names(event) for event in order.events]
        hidden["reports"] = [_report_without_words(one) for one in order.reports]
        hidden["photos"] = []
        hidden["suggested"] = []
    return order.model_copy(update=hidden)


def _event_without_names(event: WorkEventOut) -> WorkEventOut:
    left_out = FREE_TEXTS | {"assignee"}
    body = {name: value for name, value in event.body.items() if name not in left_out}
    return event.model_copy(update={"author": None, "body": body})


def _report_without_words(one: WorkReportOut) -> WorkReportOut:
    checklist = [item.model_copy(update={"remark": ""}) for item in one.checklist]
    return one.model_copy(
        update={"author": None, "found": "", "done": "", "parts": [], "checklist": checklist}
    )


def events_out(events: Sequence[WorkEvent]) -> list[WorkEventOut]:
    """Return events as shown."""
    return [WorkEventOut(**{n: getattr(one, n) for n in WorkEventOut.model_fields}) for one in events]


def reports_out(found: Sequence[StoredReport]) -> list[WorkReportOut]:
    """Return reports as shown."""
    return [
        WorkReportOut(
            number=one.number,
            author=one.author,
            found=one.found,
            done=one.done,
            parts=[UsedPartIn(name=p.name, quantity=p.quantity, unit=p.unit) for p in one.parts],
            checklist=[CheckedItemIn(item=c.item, answer=c.answer, remark=c.remark) for c in one.checklist],
            reported_at=one.reported_at,
        )
        for one in found
    ]


def photo_out(photo: WorkPhoto) -> WorkPhotoOut:
    """Return a photo as shown."""
    shown = {n: getattr(photo, n) for n in WorkPhotoOut.model_fields if n != "id"}
    return WorkPhotoOut(id=str(photo.id), **shown)


def suggested_out(found: Sequence[SuggestedTechnician]) -> list[SuggestedOut]:
    """Return suggestions as shown."""
    return [SuggestedOut(**{n: getattr(one, n) for n in SuggestedOut.model_fields}) for one in found]
