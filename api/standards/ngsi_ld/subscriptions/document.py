"""What a subscription may say, as the standard writes it (5.2.12 and following). Pure.

What of the standard is not done here is refused by name, never left unheard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from api.http.times import Asked
from api.standards.ngsi_ld.entity import Representation
from api.standards.ngsi_ld.values import URN

PREFIX = f"{URN}:Subscription:"
MOST_SELECTORS, MOST_NAMES, MOST_HEADERS = 50, 100, 20
LONGEST_THROTTLING_S = 30 * 86_400
NOT_HERE: Mapping[str, str] = {
    "timeInterval": "nothing is told at intervals: leave it out to be told of changes, or ask GET /entities",
    "temporalQ": "what was is told by GET /temporal/entities",
    "scopeQ": "entities have no scopes here",
    "csf": "there are no context sources here",
    "lang": "no attribute has values by language here",
    "datasetId": "no attribute has several instances here",
    "notificationTrigger": "what is told is that attributes changed, as where it is left out",
    "jsonldContext": "names are those of our own context, or full IRIs",
    "localOnly": "all that is told here is local",
    "splitEntities": "entities are told whole",
    "mqtt": "notifications go to http and https only",
    "notifierInfo": "notifications go to http and https only, and take no settings of MQTT",
    "showChanges": "what a value was before is told by GET /temporal/entities",
    "onlyChangedAttributes": "`attributes` says which attributes are told",
    "sysAttrs": "when entities were made and changed is told by GET /entities",
    "join": "entities that others refer to are told by GET /entities",
    "joinLevel": "entities that others refer to are told by GET /entities",
    "timeout": "a receiver has ten seconds",
    "cooldown": "a receiver that fails is left alone for ten seconds, twice as long each time",
}
"""Members of the standard that are refused, each with what to do instead."""
_FORBIDDEN_HEADERS = frozenset(
    {
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect",
        "host", "keep-alive", "link", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"

ID = r"^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:@!$&'()*+,;=-]+$"
"""A URI without a path, which stands in ours."""

Name = Annotated[str, Field(min_length=1, max_length=300)]
Names = Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES)]


class _Member(BaseModel):
    """An object of the standard, by the names it has there."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, validate_by_name=False, serialize_by_alias=True
    )

    @model_validator(mode="before")
    @classmethod
    def _refused(cls, said: Any) -> Any:
        for name in said if isinstance(said, dict) else ():
            if name in NOT_HERE:
                raise ValueError(f"{name} is not done here: {NOT_HERE[name]}")
        return said


class EntitySelector(_Member):
    """Which entities: all that it says must be true of one."""

    type: Name | None = Field(default=None, examples=["WasteContainer"], description="a name or an IRI")
    id: Name | None = None
    id_pattern: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="a regular expression of RE2"
    )

    @model_validator(mode="after")
    def _says_something(self) -> EntitySelector:
        if self.type is None and self.id is None and self.id_pattern is None:
            raise ValueError("a selector says type, id or idPattern")
        return self


class PlaceQuery(_Member):
    """Which places, as in GET /entities."""

    georel: str = Field(max_length=60, examples=["near;maxDistance==500"])
    geometry: str = Field(max_length=20, examples=["Point"])
    coordinates: list[Any] | str = Field(examples=[[35.84, 34.43]])
    geoproperty: Literal["location"] = "location"


def _sendable(name: str) -> str:
    if name.lower() in _FORBIDDEN_HEADERS:
        raise ValueError(f"{name} is not for a subscription to say")
    return name


class HeaderPair(_Member):
    """A header of a notification."""

    key: Annotated[str, Field(pattern=_HEADER_NAME, examples=["Authorization"]), AfterValidator(_sendable)]
    value: str = Field(max_length=4096, pattern=r"^[\x20-\x7e]*$", description="taken, and never told")


class Endpoint(_Member):
    """Where notifications go."""

    uri: str = Field(max_length=2000, examples=["https://broker.example/notify"])
    accept: Literal["application/json", "application/ld+json"] = "application/json"
    receiver_info: Annotated[list[HeaderPair], Field(max_length=MOST_HEADERS)] | None = Field(
        default=None, description="headers that the receiver wants; left out: as they were for this uri"
    )


class NotificationWish(_Member):
    """What is told, how and where."""

    attributes: Names | None = Field(default=None, description="left out: all")
    format: Literal["normalized", "concise", "keyValues", "simplified"] = "normalized"
    endpoint: Endpoint

    @property
    def representation(self) -> Representation:
        """How entities are written."""
        return Representation("simplified" if self.format == "keyValues" else self.format)


class SubscriptionChanges(_Member):
    """Members of a subscription that may be put in the place of others; null takes one away."""

    type: Literal["Subscription"] = "Subscription"
    subscription_name: str | None = Field(default=None, max_length=200)
    description: str | None = Field(default=None, max_length=1000)
    entities: Annotated[list[EntitySelector], Field(min_length=1, max_length=MOST_SELECTORS)] | None = None
    watched_attributes: Names | None = Field(default=None, description="left out: any")
    q: str | None = Field(default=None, max_length=2000, examples=["fillingLevel>0.8"])
    geo_q: PlaceQuery | None = None
    is_active: bool = True
    expires_at: Asked | None = None
    throttling: int | None = Field(
        default=None, ge=1, le=LONGEST_THROTTLING_S, description="seconds between two notifications at least"
    )
    notification: NotificationWish | None = None
    context: str | list[str] | None = Field(
        default=None, alias="@context", description="not read: names are those of our context, or full IRIs"
    )


class SubscriptionDocument(SubscriptionChanges):
    """A subscription: which entities, when, and what is told where."""

    id: str | None = Field(default=None, max_length=300, pattern=ID, description="left out: one is made")
    type: Literal["Subscription"]
    notification: NotificationWish

    @model_validator(mode="after")
    def _is_about_something(self) -> SubscriptionDocument:
        if self.entities is None and self.watched_attributes is None:
            raise ValueError("a subscription says entities or watchedAttributes")
        return self
