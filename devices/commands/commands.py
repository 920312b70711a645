"""Commands to devices: what may be told to whom, and what became of it.

    sent ──> accepted ──> running ──> succeeded | failed
      └────────┴───────────┴──> succeeded | failed | rejected | expired

A state only ever moves forward; an answer that comes late or twice changes nothing. Sending is for
whoever holds a broker connection. Must not know MQTT or HTTP.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from devices.instants import Now, to_datetime
from devices.kinds import STRUCTURAL
from devices.kinds.kind import Argument, ArgumentType, Command, Kind
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.registry import Device
from devices.storable import storable, storable_json
from devices.suggestion import meant
from devices.wire import topics
from devices.wire.topics import Channel, Topic
from store.connection import Connection

COMMON = (
    Command(name="reboot", label={"en": "Reboot", "fr": "Redémarrer", "ar": "إعادة التشغيل"}),
    Command(name="report_now", label={"en": "Report now", "fr": "Relever maintenant", "ar": "أرسل الآن"}),
    Command(
        name="set_interval",
        arguments=(
            Argument(
                name="interval_s",
                unit="s",
                low=1,
                high=86_400,
                label={"en": "Interval", "fr": "Intervalle", "ar": "الفاصل الزمني"},
            ),
        ),
        label={"en": "Set interval", "fr": "Régler l'intervalle", "ar": "ضبط الفاصل الزمني"},
    ),
)
"""What every device can be told, beside what its kind declares."""

EXPIRES_AFTER_S = 300
"""How long a command may wait for its device, where nobody says otherwise."""

PRECEDING = {
    "accepted": ("sent",),
    "running": ("sent", "accepted"),
    "succeeded": ("sent", "accepted", "running"),
    "failed": ("sent", "accepted", "running"),
    "rejected": ("sent", "accepted", "running"),
    "expired": ("sent", "accepted", "running"),
}
"""The states that each state may follow."""

ANSWERS = ("accepted", "running", "succeeded", "failed", "rejected")
SETTLED = ("succeeded", "failed", "rejected", "expired")
DETAIL_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommand:
    """A command that may be sent: checked against what the device understands."""

    id: UUID
    device: Device
    name: str
    args: Mapping[str, Any]
    expires_at: int

    @property
    def topic(self) -> str:
        """Where the device listens for it."""
        device = self.device
        return str(Topic(device.municipality, device.kind, device.name, Channel.COMMAND))

    @property
    def payload(self) -> bytes:
        """What the device reads."""
        expires_at = to_datetime(self.expires_at).isoformat()
        message = {"id": str(self.id), "name": self.name, "args": self.args, "expires_at": expires_at}
        return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCommand:
    """One command as it stands."""

    id: UUID
    device: str
    name: str
    args: Mapping[str, Any]
    status: str
    detail: str | None
    result: Any
    expires_at: datetime
    created_at: datetime
    updated_at: datetime

    @property
    def settled(self) -> bool:
        """Tell whether nothing more will come."""
        return self.status in SETTLED


def known_commands(kind: Kind | None) -> dict[str, Command]:
    """Return what devices of a kind understand, by name."""
    return {c.name: c for c in (*COMMON, *(kind.commands if kind else ()))}


def new_command(
    device: Device,
    kind: Kind | None,
    name: str,
    args: Mapping[str, Any],
    *,
    id: UUID,  # noqa: A002 - the wire's word
    now: Now,
    expires_after_s: float = EXPIRES_AFTER_S,
) -> NewCommand:
    """Return a command that the device understands.

    Args:
        device: whom to tell.
        kind: its kind; None for one that is structural.
        name: what to do.
        args: by argument name.
        id: random, so that answers find it.
        now: the clock.
        expires_after_s: how long it may wait for the device, in seconds.

    Raises:
        Invalid: the name, an argument or the expiry is not acceptable.
        Conflict: the device is retired.
    """
    if device.retired_at is not None:
        raise Conflict(f"device {device.name!r} is retired; reinstate it first")
    if device.kind in STRUCTURAL and device.kind != topics.GATEWAY:
        raise Invalid("device", f"{device.name!r} is a {device.kind}; it does not listen")
    known = known_commands(kind)
    if name not in known:
        raise Invalid("name", f"a {device.kind} does not understand {name!r}; {meant(name, known)}")
    if not 0 < expires_after_s <= 7 * 86_400:
        raise Invalid("expires_at", "between now and a week from now")
    check_args(known[name], args)
    return NewCommand(
        id=id, device=device, name=name, args=dict(args), expires_at=now() + int(expires_after_s * 1_000_000)
    )


def check_args(command: Command, args: Mapping[str, Any]) -> None:
    """Refuse arguments that the command does not take, lacks, or cannot use.

    Raises:
        Invalid: field `args.NAME`.
    """
    declared = {a.name: a for a in command.arguments}
    for name in args:
        if name not in declared:
            takes = ", ".join(declared) or "none"
            raise Invalid(f"args.{name}", f"{command.name} does not take it; it takes: {takes}")
    for argument in command.arguments:
        if argument.name in args:
            _check_arg(argument, args[argument.name])
        elif argument.required:
            raise Invalid(f"args.{argument.name}", f"{command.name} needs {_expected(argument)}")


def _check_arg(argument: Argument, value: Any) -> None:
    if not _fits(argument, value) or storable_json(value) != value:
        raise Invalid(f"args.{argument.name}", f"{value!r} is not {_expected(argument)}")


def _fits(argument: Argument, value: Any) -> bool:
    match argument.type:
        case ArgumentType.NUMBER:
            return _is_number_within(argument, value)
        case ArgumentType.BOOLEAN:
            return isinstance(value, bool)
        case ArgumentType.TEXT:
            return isinstance(value, str)
        case ArgumentType.LIST:
            return isinstance(value, list)


def _is_number_within(argument: Argument, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    low = -math.inf if argument.low is None else argument.low
    high = math.inf if argument.high is None else argument.high
    return low <= value <= high


def _expected(argument: Argument) -> str:
    if argument.type is not ArgumentType.NUMBER:
        return "true or false" if argument.type is ArgumentType.BOOLEAN else f"a {argument.type}"
    bounds = [
        f"from {argument.low:g}" if argument.low is not None else "",
        f"to {argument.high:g}" if argument.high is not None else "",
    ]
    return " ".join(["a number", *filter(None, bounds), argument.unit]).rstrip()


_SENT = """
INSERT INTO command (id, device_id, name, args, expires_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (id) DO NOTHING
"""


async def record_sent(connection: Connection, command: NewCommand, now: Now) -> None:
    """Store a command as sent; do it before sending, so that no answer can come too early."""
    at = to_datetime(now())
    expires_at = to_datetime(command.expires_at)
    await connection.execute(_SENT, command.id, command.device.id, command.name, command.args, expires_at, at)


_RESPONSE = """
UPDATE command SET
    status = $3, detail = coalesce($4, detail), result = coalesce($5, result), updated_at = $6
WHERE
    id = $1 AND device_id = (SELECT d.id FROM device AS d WHERE d.name = $2)
    AND status = ANY($7)
RETURNING id
"""


async def record_response(
    connection: Connection,
    device: str,
    id: UUID,  # noqa: A002 - the wire's word
    status: str,
    now: Now,
    *,
    detail: str | None = None,
    result: Any = None,
) -> bool:
    """Move a command on as its device says.

    Returns:
        False when it was not sent to this device, or has moved further already.

    Raises:
        Invalid: no device may answer with this status.
    """
    if status not in ANSWERS:
        raise Invalid("status", f"{status!r} is not an answer; {meant(status, ANSWERS)}")
    told = None if detail is None else storable(detail, DETAIL_LIMIT)
    at, shown = to_datetime(now()), storable_json(result)
    moved = await connection.fetchval(_RESPONSE, id, device, status, told, shown, at, PRECEDING[status])
    return moved is not None


_EXPIRE = """
UPDATE command SET status = 'expired', updated_at = $1
WHERE status = ANY($2) AND expires_at <= $1
RETURNING id
"""


async def expire(connection: Connection, now: Now) -> int:
    """Give up commands whose time is over without an end; return how many."""
    expired = await connection.fetch(_EXPIRE, to_datetime(now()), PRECEDING["expired"])
    return len(expired)


_ONE = """
SELECT
    c.id, d.name AS device, c.name, c.args, c.status, c.detail, c.result,
    c.expires_at, c.created_at, c.updated_at
FROM command AS c
INNER JOIN device AS d ON c.device_id = d.id
WHERE c.id = $1
"""


async def get_command(connection: Connection, id: UUID) -> SentCommand:  # noqa: A002 - the wire's word
    """Return one command as it stands.

    Raises:
        NotFound: none has that id.
    """
    row = await connection.fetchrow(_ONE, id)
    if row is None:
        raise NotFound("command", str(id))
    return SentCommand(**row)


_PAGE = """
SELECT
    c.id, d.name AS device, c.name, c.args, c.status, c.detail, c.result,
    c.expires_at, c.created_at, c.updated_at
FROM command AS c
INNER JOIN device AS d ON c.device_id = d.id
WHERE
    ($1::text IS NULL OR d.name = $1)
    AND ($2::text IS NULL OR c.status = $2)
    AND ($3::timestamptz IS NULL OR (c.created_at, c.id) < ($3, $4))
ORDER BY c.created_at DESC, c.id DESC
LIMIT $5
"""


async def list_commands(
    connection: Connection,
    *,
    device: str | None = None,
    status: str | None = None,
    before: SentCommand | None = None,
    limit: int = 100,
) -> list[SentCommand]:
    """Return a page of commands, newest first.

    Args:
        connection: the database.
        device: only those told to the device of this name.
        status: only those in this state.
        before: the last of the page before.
        limit: at most so many.
    """
    created_at, last = (before.created_at, before.id) if before else (None, None)
    rows = await connection.fetch(_PAGE, device, status, created_at, last, limit)
    return [SentCommand(**row) for row in rows]
