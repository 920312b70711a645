"""What is told at once, and what waits for a digest. Pure.

The first of a group goes at once; what follows within the plan's `group_for_s` becomes one message for each
receiver and address. A group is a municipality, rule, district, severity, occasion and person: nothing waits
for what is milder. Instants are microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from notify.facts import AlertFacts, Contact
from notify.message import Occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One alert that one person is told of, by one contact after the other."""

    alert: int
    facts: AlertFacts
    occasion: Occasion
    contacts: Sequence[Contact]
    group_for_s: float

    @property
    def group(self) -> str:
        """The key of the group; names hold no slash."""
        facts = self.facts
        person = self.contacts[0].person_id
        what = f"{facts.rule}/{facts.district or ''}/{facts.severity}/{self.occasion}"
        return f"{facts.municipality}/{what}/{person}"


@dataclass(slots=True, kw_only=True)
class PlannedDelivery:
    """A message to be: several alerts where it is a digest. call: the same for all addresses of one person.

    digest, group, until: None and False where nothing is grouped.
    """

    id: UUID
    call: UUID
    contact: Contact
    occasion: Occasion
    due_at: int
    alerts: list[int]
    group: str | None = None
    until: int | None = None
    digest: bool = False


@dataclass(slots=True, kw_only=True)
class GroupWindow:
    """A group whose first message has gone: until when others wait; the digest's messages by address."""

    until: int
    call: UUID | None = None
    digests: dict[tuple[str, str], UUID] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class NewMessages:
    """New messages, and alerts that join a digest which is there already: (its id, alert).

    first_due: by alert, when the first message that tells it is due.
    """

    new: list[PlannedDelivery] = field(default_factory=list)
    joined: list[tuple[UUID, int]] = field(default_factory=list)
    first_due: dict[int, int] = field(default_factory=dict)


def place(
    tellings: Iterable[Telling], windows: dict[str, GroupWindow], now: int, new_id: Callable[[], UUID]
) -> NewMessages:
    """Return the messages that tell people; `windows` are the open groups, and gains those that begin."""
    placed = NewMessages()
    fresh: dict[UUID, PlannedDelivery] = {}
    for telling in tellings:
        window = windows.get(telling.group) if telling.group_for_s > 0 else None
        if window is None or window.until <= now:
            base = now
            _at_once(telling, windows, placed, now, new_id)
        else:
            base = window.until
            _in_digest(telling, window, placed, fresh, new_id)
        due = base + round(min(c.after_s for c in telling.contacts) * 1e6)
        placed.first_due[telling.alert] = min(due, placed.first_due.get(telling.alert, due))
    return placed


def _at_once(
    telling: Telling,
    windows: dict[str, GroupWindow],
    placed: NewMessages,
    now: int,
    new_id: Callable[[], UUID],
) -> None:
    until = now + round(telling.group_for_s * 1e6) if telling.group_for_s > 0 else None
    if until is not None:
        windows[telling.group] = GroupWindow(until=until)
    call = new_id()
    for contact in telling.contacts:
        placed.new.append(_message(telling, contact, new_id(), call, now, until, digest=False))


def _in_digest(
    telling: Telling,
    window: GroupWindow,
    placed: NewMessages,
    fresh: dict[UUID, PlannedDelivery],
    new_id: Callable[[], UUID],
) -> None:
    if window.call is None:
        window.call = new_id()
    for contact in telling.contacts:
        address = (contact.channel, contact.address)
        there = window.digests.get(address)
        if there is None:
            made = _message(telling, contact, new_id(), window.call, window.until, window.until, digest=True)
            window.digests[address] = made.id
            fresh[made.id] = made
            placed.new.append(made)
        elif there in fresh:
            fresh[there].alerts.append(telling.alert)
        else:
            placed.joined.append((there, telling.alert))


def _message(
    telling: Telling,
    contact: Contact,
    message: UUID,
    call: UUID,
    base: int,
    until: int | None,
    *,
    digest: bool,
) -> PlannedDelivery:
    return PlannedDelivery(
        id=message,
        call=call,
        contact=contact,
        occasion=telling.occasion,
        due_at=base + round(contact.after_s * 1e6),
        alerts=[telling.alert],
        group=telling.group if until is not None else None,
        until=until,
        digest=digest,
    )
