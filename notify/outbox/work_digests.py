"""Messages about work as they are stored: the first of a group at once, what follows in one digest.

A group is a municipality, event, severity and person; it waits as long as the route of such alerts says. What
programs read is never grouped: they read of each order. In a transaction; instants are microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from alerts.transition import Severity
from devices.instants import to_datetime
from notify.facts import Contact
from notify.outbox import deliveries
from notify.outbox.grouping import GroupWindow
from notify.outbox.planned import NoticeTopic, PlannedNotice, plan
from store.connection import Connection

FOR_PROGRAMS = frozenset({"webhook", "mqtt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkNotice:
    """One event of one order that one person is told of. event, to: see work_receivers."""

    order: int
    event: str
    event_id: int
    to: str
    municipality: str
    severity: Severity
    contacts: Sequence[Contact]
    group_for_s: float

    @property
    def group(self) -> str:
        """The key of the group; names hold no slash."""
        person = self.contacts[0].person_id
        return f"{self.municipality}/orders/{self.event}/{self.to}/{self.severity}/{person}"


_JOIN = """
UPDATE delivery SET about = jsonb_set(about, '{orders}', (about -> 'orders') || (new.more -> 'orders'))
FROM unnest($1::uuid [], $2::jsonb []) AS new (id, more)
WHERE delivery.id = new.id
"""


@dataclass(slots=True)
class _Placed:
    notices: list[PlannedNotice] = field(default_factory=list)
    fresh: dict[UUID, list[list[int]]] = field(default_factory=dict)
    joined: dict[UUID, list[list[int]]] = field(default_factory=dict)


async def plan_work(connection: Connection, notices: Sequence[WorkNotice], now: int) -> int:
    """Store what is told, and return how many new messages that is."""
    if not notices:
        return 0
    windows = await deliveries.windows(connection, {one.group for one in notices}, now)
    placed = _Placed()
    for notice in notices:
        _place(notice, windows, placed, now)
    if placed.joined:
        # In an object: a list in a list would be an array of two dimensions.
        more = [{"orders": orders} for orders in placed.joined.values()]
        await connection.execute(_JOIN, list(placed.joined), more)
    return await plan(connection, placed.notices, now)


def _place(notice: WorkNotice, windows: dict[str, GroupWindow], placed: _Placed, now: int) -> None:
    read = [c for c in notice.contacts if c.channel not in FOR_PROGRAMS or not notice.group_for_s]
    if programs := [c for c in notice.contacts if c not in read]:
        placed.notices.append(_alone(notice, programs))
    if not read:
        return
    window = windows.get(notice.group)
    if window is not None and window.until > now:
        _in_digest(notice, read, window, placed, now)
        return
    until = now + round(notice.group_for_s * 1e6)
    windows[notice.group] = GroupWindow(until=until)
    placed.notices.append(replace(_alone(notice, read), group=notice.group, until=to_datetime(until)))


def _alone(notice: WorkNotice, contacts: Sequence[Contact]) -> PlannedNotice:
    about = {"event": notice.event, "event_id": notice.event_id, "to": notice.to}
    return PlannedNotice(topic=NoticeTopic.WORK, contacts=contacts, about=about, order=notice.order)


def _in_digest(
    notice: WorkNotice, contacts: Sequence[Contact], window: GroupWindow, placed: _Placed, now: int
) -> None:
    window.call = window.call or uuid4()
    said = [notice.order, notice.event_id]
    for contact in contacts:
        there = window.digests.get((contact.channel, contact.address))
        if there is None:
            message = window.digests[contact.channel, contact.address] = uuid4()
            placed.fresh[message] = [said]
            about: dict[str, Any] = {
                "event": notice.event, "to": notice.to, "orders": placed.fresh[message],
            }  # fmt: skip
            placed.notices.append(
                PlannedNotice(
                    id=message,
                    topic=NoticeTopic.WORK,
                    contacts=[replace(contact, after_s=contact.after_s + (window.until - now) / 1e6)],
                    about=about,
                    call=window.call,
                    group=notice.group,
                    until=to_datetime(window.until),
                    digest=True,
                )
            )
        elif there in placed.fresh:
            placed.fresh[there].append(said)
        else:
            placed.joined.setdefault(there, []).append(said)
