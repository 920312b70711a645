"""Changes of people in the audit: by number, never by name. They concern no one municipality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from people.identity import to_text
from people.person import Person
from store import audit
from store.audit import Actor

if TYPE_CHECKING:
    from store.connection import Connection

MEMBERS = (
    "name", "display_name", "language", "phone", "email", "channels", "calendar", "steps", "quiet_hours",
    "skills", "districts", "has_password", "has_totp", "disabled_at",
)  # fmt: skip


def state_of(person: Person) -> dict[str, Any]:
    """Return what a change of a person is compared by."""
    return {name: getattr(person, name) for name in MEMBERS} | {
        "roles": sorted(map(to_text, person.grants)),
        "channels": dict(person.channels),
    }


async def record(
    connection: Connection,
    by: Actor,
    verb: str,
    person: int,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: int,
) -> None:
    """Record a change of a person; of two states only what differs, and nothing where nothing does."""
    if before is not None and after is not None:
        before, after = audit.differing(before, after)
        if not after:
            return
    await audit.record(
        connection,
        by=by,
        municipality=None,
        action=f"person.{verb}",
        subject=str(person),
        before=before,
        after=after,
        now=now,
    )
