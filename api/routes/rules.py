"""Rules: read, change, try on history, put on trial beside the live ones, explain."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from api.author import UsesActor
from api.context import AppContext, UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Fields, Limit, Page
from api.http.problems import Problem
from api.http.times import Asked
from api.routes.rule_text import BODY, definition, definitions, refusal
from api.schemas.rules import (
    ExplanationOut,
    RuleOut,
    RulePutOut,
    RulesCheckedOut,
    RuleWithHistoryOut,
    ShadowOut,
    TrialOut,
    change_out,
    findings_out,
    rule_for,
    rule_members,
    rule_out,
)
from devices.instants import to_datetime, to_microseconds
from devices.registry.errors import Conflict
from devices.registry.registry import load
from people.roles import Permission
from rules.catalogue import editing, versions
from rules.catalogue.blind import warn_of_blind
from rules.catalogue.suppressors import rule_ids, warn_of_unknown
from rules.catalogue.unplaced import warn_of_unplaced
from rules.definition.definition import Definition
from rules.definition.errors import RulesRefused
from rules.engine.evaluate import RuleFailed
from rules.explain import document
from rules.explain.load import explain_rule
from rules.trial import shadows
from rules.trial.findings import findings
from rules.trial.history_trial import prepare
from store.connection import Connection

router = APIRouter(tags=["rules"])

RuleId = Annotated[str, Path(max_length=63)]
DeviceName = Annotated[str, Query(max_length=64, examples=["bin-0007"])]
IfMatch = Annotated[str | None, Header(description='ETag of the version to change, or "*"')]

LONGEST_S = 20.0
"""How long a test may take before it answers with what it has found."""
FURTHEST_US = 31 * 86_400_000_000
WEEK_US = 7 * 86_400_000_000


@router.get("/rules", response_model=Page[RuleOut], summary="List rules by id")
async def list_rules(
    request: Request,
    connection: UsesConnection,
    identity: UsesIdentity,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    disabled: Annotated[bool, Query(description="those out of force too")] = False,
    after: Annotated[str | None, Query(max_length=63, description="cursor")] = None,
    limit: Limit = 100,
    fields: Fields = None,
) -> Response:
    """Return the newest version of each rule by id."""
    found = await versions.list_rules(
        connection,
        disabled=disabled,
        kind=kind,
        after=after,
        limit=limit + 1,
        within=identity.towns(Permission.READ),
    )
    items = [rule_for(identity, rule_out(rule)) for rule in found]
    return pages.answer(request, items, limit=limit, cursor=("after", "id"), fields=fields)


@router.post("/rules/test", openapi_extra=BODY, summary="Say what rules would have done; writes nothing")
async def try_rules(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    since: Annotated[Asked | None, Query(description="a week ago without it; at most 31 days")] = None,
    device: Annotated[str | None, Query(max_length=64, description="only its readings")] = None,
) -> TrialOut:
    """Evaluate rules over stored readings and compare them with the live ones. One test runs at a time.

    After 20 seconds the answer is what was found until then, and `complete` is false. `nabd rule test` has no
    such limit. What a test cannot know of a rule is said in `notes`.
    """
    wanted = await definitions(request, context)
    now = context.now()
    start = now - WEEK_US if since is None else to_microseconds(since)
    if start < now - FURTHEST_US:
        raise Problem(422, "range-too-wide", "since: a test goes back at most 31 days")
    state = request.app.state
    if getattr(state, "testing_rules", False):
        detail = "another test of rules is running"
        raise Problem(503, "unavailable", detail, headers={"Retry-After": "5"})
    state.testing_rules = True
    try:
        return await _test(context, connection, wanted, start, now, device)
    except RuleFailed as failed:
        raise Problem(422, "invalid", f"{failed.rule} fails on these readings: {failed}") from failed
    finally:
        state.testing_rules = False


@router.post(
    "/rules/check",
    openapi_extra=BODY,
    responses={422: {"description": "each mistake with line, column and suggestion"}},
    summary="Say whether rules are right; writes nothing",
)
async def check_rules(request: Request, context: UsesContext, connection: UsesConnection) -> RulesCheckedOut:
    """Read rules as they would be applied, and say what might surprise."""
    wanted = await definitions(request, context)
    warnings = await _warnings(context, connection, wanted)
    return RulesCheckedOut(rules=[one.id for one in wanted], warnings=warnings)


async def _warnings(context: AppContext, connection: Connection, wanted: list[Definition]) -> list[str]:
    """Return at which devices these rules can never look, and which rules they name that nobody has."""
    warnings = warn_of_unknown(wanted, await rule_ids(connection))
    warnings += await warn_of_unplaced(connection, wanted)
    warnings += warn_of_blind(wanted, context.kinds)
    return [warning.message for warning in warnings]


async def _test(
    context: AppContext,
    connection: Connection,
    wanted: list[Definition],
    start: int,
    end: int,
    device: str | None,
) -> TrialOut:
    trial = await prepare(connection, context.kinds, wanted, start=start, end=end, device=device)
    deadline = time.monotonic() + LONGEST_S
    for one in trial.passes:
        async for _ in one.run(connection):
            if time.monotonic() > deadline:
                break
    return TrialOut(
        complete=trial.until == end,
        until=to_datetime(trial.until),
        readings=trial.readings,
        findings=[findings_out(found) for found in await trial.findings(connection)],
        skipped=[],
    )


@router.get("/rules/{rule}", summary="One rule, and who changed what")
async def get_rule(
    rule: RuleId,
    response: Response,
    connection: UsesConnection,
    identity: UsesIdentity,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="an earlier one")] = None,
) -> RuleWithHistoryOut:
    """Return a rule with its ETag and its history."""
    found = await versions.get_rule(connection, rule, version, within=identity.towns(Permission.READ))
    history = await versions.history(connection, rule)
    response.headers["ETag"] = f'"{found.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    shown = RuleWithHistoryOut(**rule_members(found), history=[change_out(change) for change in history])
    return rule_for(identity, shown)


@router.put(
    "/rules/{rule}",
    openapi_extra=BODY,
    responses={
        412: {"description": "it changed since the version that If-Match names"},
        422: {"description": "what is wrong with it, each mistake with line, column and suggestion"},
    },
    summary="Put a rule into force",
)
async def put_rule(
    rule: RuleId,
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    if_match: IfMatch = None,
    if_none_match: Annotated[str | None, Header(description='"*" where it must be new')] = None,
) -> RulePutOut:
    """Check a rule and make it the version in force; its open alerts stay. The same text changes nothing."""
    wanted = await definition(request, context, rule)
    version = 0 if (if_none_match or "").strip() == "*" else pages.wanted_version(if_match)
    try:
        await editing.put(
            connection,
            wanted,
            by=actor,
            now=context.now(),
            version=version,
        )
    except Conflict as conflict:
        raise Problem(412, "changed-meanwhile", str(conflict)) from conflict
    found = await _tagged(connection, rule, response)
    return RulePutOut(**dict(found), warnings=await _warnings(context, connection, [wanted]))


@router.post("/rules/{rule}/enable", summary="Put a rule back into force")
async def enable_rule(
    rule: RuleId, response: Response, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> RuleOut:
    """Put the last version of a rule back into force, as a new version."""
    try:
        await editing.enable(connection, context.kinds, rule, by=actor, now=context.now())
    except RulesRefused as refused:
        raise refusal(refused) from refused
    return await _tagged(connection, rule, response)


@router.post("/rules/{rule}/disable", summary="Take a rule out of force")
async def disable_rule(
    rule: RuleId, response: Response, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> RuleOut:
    """Take a rule out of force; its open alerts end."""
    await editing.disable(connection, rule, by=actor, now=context.now())
    return await _tagged(connection, rule, response)


@router.get(
    "/rules/{rule}/explain", response_model=ExplanationOut, summary="Why it fires on a device, or not"
)
async def explain(
    rule: RuleId,
    device: DeviceName,
    context: UsesContext,
    connection: UsesConnection,
    at: Annotated[Asked | None, Query(description="now without it")] = None,
) -> dict[str, Any]:
    """Return each term with its value and whether it holds, since when, and what is still missing."""
    moment = context.now() if at is None else to_microseconds(at)
    try:
        explanation = await explain_rule(connection, context.kinds, rule, device, at=moment)
    except RulesRefused as refused:
        raise refusal(refused) from refused
    return document.document(explanation)


@router.get("/rules/{rule}/shadow", summary="The rule on trial, compared with the live one")
async def get_shadow(
    rule: RuleId, context: UsesContext, connection: UsesConnection, identity: UsesIdentity
) -> ShadowOut:
    """Return what the shadow and the live rule did since the trial began."""
    return rule_for(identity, await _shadow(context, connection, rule))


@router.put("/rules/{rule}/shadow", openapi_extra=BODY, summary="Put a text of the rule on trial")
async def put_shadow(
    rule: RuleId, request: Request, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> ShadowOut:
    """Evaluate a text of the rule beside the live one from now on; it never alerts."""
    wanted = await definition(request, context, rule)
    await shadows.add(connection, [wanted], by=actor, now=context.now())
    return await _shadow(context, connection, rule)


@router.post("/rules/{rule}/shadow/promote", summary="Put the rule on trial into force")
async def promote_shadow(
    rule: RuleId, response: Response, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> RuleOut:
    """Make the shadow the version in force; open alerts stay."""
    try:
        await shadows.promote(connection, context.kinds, rule, by=actor, now=context.now())
    except RulesRefused as refused:
        raise refusal(refused) from refused
    return await _tagged(connection, rule, response)


@router.delete("/rules/{rule}/shadow", status_code=204, summary="End a trial")
async def drop_shadow(
    rule: RuleId, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> None:
    """End the trial; what it recorded stays."""
    await shadows.drop(connection, rule, by=actor, now=context.now())


async def _shadow(context: AppContext, connection: Connection, rule: str) -> ShadowOut:
    now = context.now()
    trial = await shadows.trial(connection, rule, now)
    names = {d.id: d.name for d in (await load(connection)).devices.values()}
    start = trial.shadow.known_since
    found = findings(rule, trial.shadowed, trial.live, names, start=start, end=now)
    return ShadowOut(
        rule=rule,
        author=trial.shadow.author,
        created_at=trial.shadow.created_at,
        broken_reason=trial.shadow.broken_reason,
        definition=dict(trial.shadow.definition),
        findings=findings_out(found),
    )


async def _tagged(connection: Connection, rule: str, response: Response) -> RuleOut:
    found = await versions.get_rule(connection, rule)
    response.headers["ETag"] = f'"{found.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    return rule_out(found)
