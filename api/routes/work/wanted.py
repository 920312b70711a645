"""Which work orders a list or a file is asked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from alerts.transition import Severity
from api.context import UsesContext, UsesIdentity
from api.schemas.searches import Words, words_of
from people.roles import Permission
from work.listing import NOBODY, WorkFilter
from work.order import WorkState

ME = "me"
"""Whose orders are asked for: those of whoever asks."""


def wanted_orders(
    context: UsesContext,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    device: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    rule: Annotated[str | None, Query(max_length=200)] = None,
    state: WorkState | None = None,
    open: Annotated[bool | None, Query(description="neither done nor cancelled; or only those")] = None,  # noqa: A002
    severity: Severity | None = None,
    assignee: Annotated[
        str | None, Query(max_length=63, description="`me` (my teams' too), `nobody`, or a person's name")
    ] = None,
    team: Annotated[str | None, Query(max_length=63)] = None,
    overdue: Annotated[bool | None, Query(description="a deadline has passed, or none has")] = None,
    alert: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    text: Words = None,
) -> WorkFilter:
    """Return which orders are asked for."""
    named = None if assignee in (ME, NOBODY) else assignee
    # Whoever may not see names and titles does not learn them by asking.
    guarded = named is not None or text is not None
    return WorkFilter(
        municipality=municipality,
        district=district,
        device=device,
        kind=kind,
        rule=rule,
        state=state,
        active=open,
        severity=severity,
        assignee=NOBODY if assignee == NOBODY else named,
        team=team,
        mine=identity.principal if assignee == ME else None,
        overdue=overdue,
        words=words_of(text, context.kinds, severities=True),
        alert=alert,
        within=identity.towns(Permission.READ_NAMES if guarded else Permission.READ),
    )


WantedOrders = Annotated[WorkFilter, Depends(wanted_orders)]
