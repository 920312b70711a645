"""A command as clients see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, PrivateAttr

from api.http.times import Instant
from devices.commands.answered import SentCommand
from devices.commands.details import DETAIL_CODES, DownlinkSituation, Situation, detail_code
from people.identity import Identity
from people.roles import Permission


class SituationOut(BaseModel):
    """What is known of a command that a network server sends, while it has not ended."""

    situation: Situation = Field(
        examples=["not_heard_since"],
        description="source_removed, source_disabled, source_away; heard_since, not_heard_since: whether the"
        " device was heard after `since`",
    )
    source: str | None = Field(
        examples=["lora"],
        description="who hands it over, or did; null: it was removed, or the caller manages no devices in"
        " its municipality",
    )
    since: Instant = Field(description="the last that became known of the command")
    source_heard_at: Instant | None = Field(
        description="when the last message of the source came; null: never, or as `source`"
    )
    device_heard_at: Instant | None = Field(description="when the last reading of the device came")
    _source_municipality: str | None = PrivateAttr(default=None)


class CommandOut(BaseModel):
    """One command as it stands."""

    id: UUID
    device: str = Field(examples=["light-0003"])
    kind: str = Field(examples=["light"])
    municipality: str = Field(examples=["tripoli"])
    name: str = Field(examples=["set_dimming"])
    args: dict[str, Any] = Field(examples=[{"pct": 60}])
    status: str = Field(
        examples=["delivered"],
        description="queued, sent, delivered, accepted, running, succeeded, failed, rejected or expired",
    )
    detail: str | None = Field(description="what the device, or its network server, says beside it")
    detail_code: str | None = Field(
        examples=["sent"],
        description=f"which detail of ours it is: {', '.join(DETAIL_CODES.values())}; null for all others",
    )
    detail_at: Instant | None = Field(description="the instant that it names, of no_uplink: of the last one")
    situation: SituationOut | None = Field(
        description="what is known of a command that waits for or at a network server; null: nothing more"
    )
    result: Any = Field(description="what the device answers with, 4096 bytes at most")
    author: str | None = Field(description="who gave it; null for who may not see that")
    request: int | None = Field(description="number of the request to many devices that it carries out")
    expires_at: Instant
    created_at: Instant
    updated_at: Instant


def command_out(command: SentCommand) -> CommandOut:
    """Return a command as JSON shows it."""
    made = ("detail_code", "detail_at", "situation")
    known = {name: getattr(command, name) for name in CommandOut.model_fields if name not in made}
    code, at = detail_code(command.detail) if command.as_downlink else (None, None)
    return CommandOut(**known, detail_code=code, detail_at=at, situation=_situation_out(command.situation))


def _situation_out(known: DownlinkSituation | None) -> SituationOut | None:
    if known is None:
        return None
    found = SituationOut(**{name: getattr(known, name) for name in SituationOut.model_fields})
    found._source_municipality = known.source_municipality
    return found


def command_for(identity: Identity, command: CommandOut) -> CommandOut:
    """Return what somebody may see of it."""
    hidden: dict[str, Any] = {}
    if not identity.may_in(Permission.READ_NAMES, command.municipality):
        hidden["author"] = None
    if command.situation is not None:
        hidden["situation"] = _situation_for(identity, command.situation)
    return command.model_copy(update=hidden)


def _situation_for(identity: Identity, known: SituationOut) -> SituationOut:
    """Return it without its source, which may be another municipality's, to whom that lists no sources."""
    if identity.may_in(Permission.MANAGE_DEVICES, known._source_municipality):
        return known
    return known.model_copy(update={"source": None, "source_heard_at": None})
