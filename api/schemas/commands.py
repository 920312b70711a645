"""A command as clients see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.http.times import Instant
from devices.commands.answered import SentCommand
from devices.commands.downlinks import DETAIL_CODES
from people.identity import Identity
from people.roles import Permission


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
    result: Any = Field(description="what the device answers with, 4096 bytes at most")
    author: str | None = Field(description="who gave it; null for who may not see that")
    request: int | None = Field(description="number of the request to many devices that it carries out")
    expires_at: Instant
    created_at: Instant
    updated_at: Instant


def command_out(command: SentCommand) -> CommandOut:
    """Return a command as JSON shows it."""
    known = {name: getattr(command, name) for name in CommandOut.model_fields if name != "detail_code"}
    return CommandOut(**known, detail_code=DETAIL_CODES.get(command.detail or ""))


def command_for(identity: Identity, command: CommandOut) -> CommandOut:
    """Return what somebody may see of it."""
    if identity.may_in(Permission.READ_NAMES, command.municipality):
        return command
    return command.model_copy(update={"author": None})
