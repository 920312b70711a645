"""Which alerts a list, counts or a file are asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query

from alerts.listing import NOBODY, AlertFilter
from alerts.transition import Severity
from api.context import UsesContext, UsesIdentity
from api.http.times import Asked
from api.schemas.searches import Words, words_of
from people.roles import Permission

ME = "me"
"""Whose work an alert is, in lists: that of whoever asks."""


def wanted_alerts(
    context: UsesContext,
    identity: UsesIdentity,
    state: Literal["firing", "resolved"] | None = None,
    severity: Severity | None = None,
    device: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    silenced: Annotated[
        bool | None, Query(description="only open ones that somebody silences now, or only others")
    ] = None,
    assigned: Annotated[
        str | None, Query(max_length=63, description="`me`, `nobody`, or the name of a person")
    ] = None,
    team: Annotated[
        str | None, Query(max_length=63, description="of its members, or in its open work orders")
    ] = None,
    rule: Annotated[str | None, Query(max_length=63)] = None,
    acknowledged: Annotated[bool | None, Query(description="seen by somebody, or by nobody")] = None,
    words: Words = None,
    since: Annotated[Asked | None, Query(description="only those that were open from then on")] = None,
    until: Annotated[Asked | None, Query(description="only those that had opened before")] = None,
) -> AlertFilter:
    """Return which alerts are asked for."""
    named = None if assigned in (ME, NOBODY) else assigned
    # Whoever may not see names does not learn by asking whose work it is.
    guarded = named is not None or team is not None
    return AlertFilter(
        state=state,
        severity=severity,
        device=device,
        kind=kind,
        municipality=municipality,
        district=district,
        within=identity.towns(Permission.READ_NAMES if guarded else Permission.READ),
        silenced=silenced,
        assigned_to=NOBODY if assigned == NOBODY else named,
        assignee_id=identity.principal if assigned == ME else None,
        team=team,
        rule=rule,
        acknowledged=acknowledged,
        words=words_of(words, context.kinds, severities=True),
        since=since,
        until=until,
    )


WantedAlerts = Annotated[AlertFilter, Depends(wanted_alerts)]
