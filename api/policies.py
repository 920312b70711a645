"""Who may ask what: one policy for each route, in one table. What is not in it does not start.

Pure. Must not know how an identity is shown, nor where a thing is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from people.roles import Permission


class Where(StrEnum):
    """In which municipality the permission of a policy is needed."""

    OPEN = "open"
    """Nowhere: no identity is asked for."""
    ANYBODY = "anybody"
    """Nowhere: whoever has an identity."""
    SIGNED_IN = "signed in"
    """Nowhere, and only a person who is signed in: it is about themselves."""
    SOMEWHERE = "somewhere"
    """In one at least. What is listed, and what a body names, is judged by the route."""
    EVERYWHERE = "everywhere"
    """In all: it concerns the platform."""
    DEVICE = "device"
    """In that of the device that the path names."""
    ASKED_DEVICE = "asked device"
    """In that of the device that the query names; everywhere where it names none."""
    TOWN = "municipality"
    """In that which the path names."""
    ASKED_TOWN = "asked municipality"
    """In that which the query names; everywhere where it names none."""
    ALERT = "alert"
    """In that in which the alert was opened."""
    WINDOW = "window"
    """In that of the maintenance window."""
    PLAN = "maintenance plan"
    """In that of the plan of maintenance that comes again."""
    WORK_PLAN = "work plan"
    """In that of the preventive plan."""
    SILENCE = "silence"
    """In that of the silence; one of all municipalities may be read by whoever reads in one."""
    USER = "user"
    """In one of the person's, to read; in all of them, to change."""
    TEAM = "team"
    """In that of the team; one of all municipalities is read by whoever reads in one."""
    SCHEDULE = "on-call schedule"
    """In that of the on-call schedule; one of all municipalities is read by whoever reads in one."""
    WORK_ORDER = "work order"
    """In that of the work order."""
    ROLLOUT = "rollout"
    """In that of the rollout; one of all municipalities may be read by whoever reads in one."""
    COMMAND_REQUEST = "command request"
    """In that of the request for a command to many devices."""
    TOKEN = "token"  # noqa: S105 - a kind of thing
    """In that of the token."""


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """What a route asks of an identity.

    permission: None only where none is needed. people_only: no token may.
    """

    where: Where
    permission: Permission | None = None
    people_only: bool = False


_P, _W = Permission, Where
_READ = AccessPolicy(_W.SOMEWHERE, _P.READ)
_READ_DEVICE = AccessPolicy(_W.DEVICE, _P.READ)
_MANAGE_DEVICE = AccessPolicy(_W.DEVICE, _P.MANAGE_DEVICES)
_EDIT_RULES = AccessPolicy(_W.EVERYWHERE, _P.EDIT_RULES)
_WATCH = AccessPolicy(_W.SOMEWHERE, _P.WATCH_PLATFORM)
_PEOPLE = AccessPolicy(_W.SOMEWHERE, _P.MANAGE_PEOPLE)
_USER = AccessPolicy(_W.USER, _P.MANAGE_PEOPLE)
_TOKENS = AccessPolicy(_W.SOMEWHERE, _P.MANAGE_TOKENS)
_TOKEN = AccessPolicy(_W.TOKEN, _P.MANAGE_TOKENS)
# A subscription tells what a token would let its receiver read; which ones there are, the route judges.
_HAND_ON = AccessPolicy(_W.SOMEWHERE, _P.MANAGE_TOKENS)
_AUDIT = AccessPolicy(_W.ASKED_TOWN, _P.READ_AUDIT)
_TEAM = AccessPolicy(_W.TEAM, _P.EDIT_ROUTES)
_SCHEDULE = AccessPolicy(_W.SCHEDULE, _P.EDIT_ROUTES)
_STAND_IN = AccessPolicy(_W.SCHEDULE, _P.PLAN_ON_CALL)
_CALENDAR = AccessPolicy(_W.TOWN, _P.SET_DEADLINES)
_WORK = AccessPolicy(_W.WORK_ORDER, _P.DO_WORK)
_DIRECT = AccessPolicy(_W.WORK_ORDER, _P.DIRECT_WORK)
# Who may make tokens would approve with one what they asked for themselves.
_DECIDE = AccessPolicy(_W.COMMAND_REQUEST, _P.COMMAND_MANY, people_only=True)
_ROLLOUT = AccessPolicy(_W.ROLLOUT, _P.UPDATE_FIRMWARE)
_ANYBODY = AccessPolicy(_W.ANYBODY)
_SIGNED_IN = AccessPolicy(_W.SIGNED_IN)
_OPEN = AccessPolicy(_W.OPEN)

POLICIES: Mapping[str, AccessPolicy] = {
    "GET /healthz": _OPEN,
    "GET /signin": _OPEN,
    "GET /signin/oidc": _OPEN,
    "GET /signin/oidc/callback": _OPEN,
    "POST /signin": _OPEN,
    "GET /trust": _OPEN,
    "GET /trust/authority.crt": _OPEN,
    "GET /console/signin.css": _OPEN,
    "GET /sw.js": _OPEN,
    "GET /manifest.webmanifest": _OPEN,
    "GET /console/icons/192.png": _OPEN,
    "GET /console/icons/512.png": _OPEN,
    "GET /console/icons/512-maskable.png": _OPEN,
    "GET /answer/{token}": _OPEN,
    "GET /firmware/{sha256}": _OPEN,
    "POST /answer/{token}": _OPEN,
    "POST /api/v1/telemetry": _OPEN,
    "POST /api/v1/webhooks/{source}": _OPEN,
    "GET /": _ANYBODY,
    "GET /alerts/{alert_id}": _ANYBODY,
    "GET /devices": _ANYBODY,
    "GET /devices/{device}": _ANYBODY,
    "GET /work": _ANYBODY,
    "GET /work/{order_id}": _ANYBODY,
    "GET /reports": _ANYBODY,
    "GET /admin": _ANYBODY,
    "GET /admin/{part}": _ANYBODY,
    "GET /admin/{part}/{name}": _ANYBODY,
    "GET /account": _ANYBODY,
    "GET /guide": _ANYBODY,
    "GET /guide/{guide}": _ANYBODY,
    "GET /console/": _ANYBODY,
    "GET /api/v1/openapi.json": _ANYBODY,
    "GET /ngsi-ld/v1/context.jsonld": _OPEN,
    "GET /ngsi-ld/v1/entities": _READ,
    "GET /ngsi-ld/v1/entities/{entity}": _READ,
    "GET /ngsi-ld/v1/types": _READ,
    "GET /ngsi-ld/v1/types/{entity_type}": _READ,
    "GET /ngsi-ld/v1/attributes": _READ,
    "GET /ngsi-ld/v1/attributes/{attribute}": _READ,
    "GET /ngsi-ld/v1/subscriptions": _HAND_ON,
    "POST /ngsi-ld/v1/subscriptions": _HAND_ON,
    "GET /ngsi-ld/v1/subscriptions/{subscription}": _HAND_ON,
    "PATCH /ngsi-ld/v1/subscriptions/{subscription}": _HAND_ON,
    "DELETE /ngsi-ld/v1/subscriptions/{subscription}": _HAND_ON,
    "GET /ngsi-ld/v1/temporal/entities": _READ,
    "GET /ngsi-ld/v1/temporal/entities/{entity}": _READ,
    "GET /sensorthings/v1.1": _READ,
    "GET /sensorthings/v1.1/{path}": _READ,
    "GET /open-data": _OPEN,
    "GET /open-data/catalogue.jsonld": _OPEN,
    "GET /open-data/{municipality}/{kind}.csv": _OPEN,
    "GET /open-data/{municipality}/{kind}.geojson": _OPEN,
    "GET /open-data/{municipality}/{kind}.parquet": _OPEN,
    "GET /readyz": _WATCH,
    "GET /metrics": _WATCH,
    "GET /api/v1/session": _ANYBODY,
    "DELETE /api/v1/session": _ANYBODY,
    "GET /api/v1/session/contact": _SIGNED_IN,
    "PATCH /api/v1/session/contact": _SIGNED_IN,
    "GET /api/v1/session/all": _SIGNED_IN,
    "DELETE /api/v1/session/all/{session}": _SIGNED_IN,
    "GET /api/v1/session/subscriptions": _SIGNED_IN,
    "PUT /api/v1/session/subscriptions": _SIGNED_IN,
    "GET /api/v1/push/key": _ANYBODY,
    "GET /api/v1/session/push": _SIGNED_IN,
    "POST /api/v1/session/push": _SIGNED_IN,
    "DELETE /api/v1/session/push": _SIGNED_IN,
    "POST /api/v1/session/push/test": _SIGNED_IN,
    "POST /api/v1/session/password": _SIGNED_IN,
    "POST /api/v1/session/totp": _SIGNED_IN,
    "PUT /api/v1/session/totp": _SIGNED_IN,
    "DELETE /api/v1/session/totp": _SIGNED_IN,
    "GET /api/v1/kinds": _READ,
    "GET /api/v1/profiles": _READ,
    "GET /api/v1/profiles/{profile}": _READ,
    "POST /api/v1/profiles/test": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "GET /api/v1/municipalities": _READ,
    "POST /api/v1/municipalities": AccessPolicy(_W.EVERYWHERE, _P.SET_DEADLINES),
    "PATCH /api/v1/municipalities/{municipality}": _CALENDAR,
    "GET /api/v1/municipalities/{municipality}/layers": AccessPolicy(_W.TOWN, _P.READ),
    "GET /api/v1/municipalities/{municipality}/layers/{layer}": AccessPolicy(_W.TOWN, _P.READ),
    "PUT /api/v1/municipalities/{municipality}/layers/{layer}": AccessPolicy(_W.TOWN, _P.MANAGE_DEVICES),
    "GET /api/v1/municipalities/{municipality}/open-data": AccessPolicy(_W.TOWN, _P.READ),
    "PUT /api/v1/municipalities/{municipality}/open-data": AccessPolicy(_W.TOWN, _P.MANAGE_TOKENS),
    "DELETE /api/v1/municipalities/{municipality}/open-data": AccessPolicy(_W.TOWN, _P.MANAGE_TOKENS),
    "GET /api/v1/stream": _READ,
    "GET /api/v1/devices": _READ,
    "POST /api/v1/devices": AccessPolicy(_W.SOMEWHERE, _P.INSTALL_DEVICES),
    "POST /api/v1/devices/import": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "GET /api/v1/devices/{device}": _READ_DEVICE,
    "PATCH /api/v1/devices/{device}": AccessPolicy(_W.DEVICE, _P.INSTALL_DEVICES),
    "POST /api/v1/devices/{device}/retire": AccessPolicy(_W.DEVICE, _P.MANAGE_DEVICES),
    "POST /api/v1/devices/{device}/interval": AccessPolicy(_W.DEVICE, _P.MANAGE_DEVICES),
    "POST /api/v1/devices/{device}/install": AccessPolicy(_W.DEVICE, _P.INSTALL_DEVICES),
    "GET /api/v1/devices/{device}/hardware": _READ_DEVICE,
    "POST /api/v1/devices/{device}/hardware": AccessPolicy(_W.DEVICE, _P.INSTALL_DEVICES),
    "GET /api/v1/devices/{device}/readings": _READ_DEVICE,
    "GET /api/v1/devices/{device}/latest": _READ_DEVICE,
    "GET /api/v1/devices/{device}/forecasts": _READ_DEVICE,
    "GET /api/v1/devices/{device}/limits": _READ_DEVICE,
    "GET /api/v1/devices/{device}/notes": AccessPolicy(_W.DEVICE, _P.READ_NAMES),
    "POST /api/v1/devices/{device}/notes": AccessPolicy(_W.DEVICE, _P.ANSWER_ALERTS),
    "GET /api/v1/devices/{device}/hand-readings": _READ_DEVICE,
    "POST /api/v1/devices/{device}/hand-readings": AccessPolicy(_W.DEVICE, _P.ENTER_READINGS),
    "GET /api/v1/devices/{device}/credentials": _MANAGE_DEVICE,
    "POST /api/v1/devices/{device}/credentials": _MANAGE_DEVICE,
    "POST /api/v1/devices/{device}/credentials/revoke": _MANAGE_DEVICE,
    "POST /api/v1/device-credentials": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "GET /api/v1/devices/{device}/commands": _READ_DEVICE,
    "POST /api/v1/devices/{device}/commands": AccessPolicy(_W.DEVICE, _P.COMMAND_DEVICES),
    "GET /api/v1/commands": _READ,
    "GET /api/v1/devices/{device}/config": _READ_DEVICE,
    "PATCH /api/v1/devices/{device}/config": AccessPolicy(_W.DEVICE, _P.COMMAND_DEVICES),
    "GET /api/v1/device-configs": _READ,
    "GET /api/v1/command-requests": _READ,
    "POST /api/v1/command-requests": AccessPolicy(_W.SOMEWHERE, _P.COMMAND_MANY, people_only=True),
    "POST /api/v1/command-requests/{command_request}/approve": _DECIDE,
    "POST /api/v1/command-requests/{command_request}/refuse": _DECIDE,
    "GET /api/v1/firmware": _READ,
    "GET /api/v1/rollouts": _READ,
    "POST /api/v1/rollouts": AccessPolicy(_W.SOMEWHERE, _P.UPDATE_FIRMWARE),
    "GET /api/v1/rollouts/{rollout}": AccessPolicy(_W.ROLLOUT, _P.READ),
    "GET /api/v1/rollouts/{rollout}/devices": AccessPolicy(_W.ROLLOUT, _P.READ),
    "POST /api/v1/rollouts/{rollout}/pause": _ROLLOUT,
    "POST /api/v1/rollouts/{rollout}/resume": _ROLLOUT,
    "POST /api/v1/rollouts/{rollout}/cancel": _ROLLOUT,
    "GET /api/v1/standings": _READ,
    "GET /api/v1/latest": _READ,
    "GET /api/v1/map": _READ,
    "GET /api/v1/map/areas": _READ,
    "GET /api/v1/map/tiles": _READ,
    "GET /api/v1/map/tiles/{z}/{x}/{y}": _READ,
    "GET /api/v1/intervals": _READ,
    "GET /api/v1/statistics": _READ,
    "GET /api/v1/alerts": _READ,
    "GET /api/v1/alerts/counts": _READ,
    "GET /api/v1/alerts/{alert_id}": AccessPolicy(_W.ALERT, _P.READ),
    "POST /api/v1/alerts/{alert_id}/acknowledge": AccessPolicy(_W.ALERT, _P.ANSWER_ALERTS),
    "POST /api/v1/alerts/{alert_id}/unacknowledge": AccessPolicy(_W.ALERT, _P.ANSWER_ALERTS),
    "POST /api/v1/alerts/acknowledge": AccessPolicy(_W.SOMEWHERE, _P.ANSWER_ALERTS),
    "POST /api/v1/alerts/unacknowledge": AccessPolicy(_W.SOMEWHERE, _P.ANSWER_ALERTS),
    "POST /api/v1/alerts/{alert_id}/assign": AccessPolicy(_W.ALERT, _P.ASSIGN_ALERTS),
    "GET /api/v1/alerts/{alert_id}/people": AccessPolicy(_W.ALERT, _P.ASSIGN_ALERTS),
    "POST /api/v1/alerts/{alert_id}/take": AccessPolicy(_W.ALERT, _P.ANSWER_ALERTS),
    "POST /api/v1/alerts/{alert_id}/comments": AccessPolicy(_W.ALERT, _P.ANSWER_ALERTS),
    "POST /api/v1/notifications/test": AccessPolicy(_W.EVERYWHERE, _P.MANAGE_PEOPLE),
    "GET /api/v1/alerts/{alert_id}/notifications": AccessPolicy(_W.ALERT, _P.READ),
    "GET /api/v1/notifications/channels": _WATCH,
    "POST /api/v1/answers/sms": AccessPolicy(_W.SOMEWHERE, _P.RELAY_ANSWERS),
    "POST /api/v2/alerts": AccessPolicy(_W.SOMEWHERE, _P.SEND_ALERTS),
    "GET /api/v1/maintenance": _READ,
    "POST /api/v1/maintenance": AccessPolicy(_W.SOMEWHERE, _P.PLAN_MAINTENANCE),
    "GET /api/v1/maintenance/{window}": AccessPolicy(_W.WINDOW, _P.READ),
    "POST /api/v1/maintenance/{window}/end": AccessPolicy(_W.WINDOW, _P.PLAN_MAINTENANCE),
    "GET /api/v1/maintenance-plans": _READ,
    "POST /api/v1/maintenance-plans": AccessPolicy(_W.SOMEWHERE, _P.PLAN_MAINTENANCE),
    "GET /api/v1/maintenance-plans/{plan}": AccessPolicy(_W.PLAN, _P.READ),
    "POST /api/v1/maintenance-plans/{plan}/end": AccessPolicy(_W.PLAN, _P.PLAN_MAINTENANCE),
    "GET /api/v1/municipalities/{municipality}/calendar": AccessPolicy(_W.TOWN, _P.READ),
    "PUT /api/v1/municipalities/{municipality}/calendar": _CALENDAR,
    "PUT /api/v1/municipalities/{municipality}/calendar/days/{day}": _CALENDAR,
    "DELETE /api/v1/municipalities/{municipality}/calendar/days/{day}": _CALENDAR,
    "PUT /api/v1/municipalities/{municipality}/calendar/ramadan/{year}": _CALENDAR,
    "DELETE /api/v1/municipalities/{municipality}/calendar/ramadan/{year}": _CALENDAR,
    "GET /api/v1/municipalities/{municipality}/work-by-rule": AccessPolicy(_W.TOWN, _P.READ),
    "PUT /api/v1/municipalities/{municipality}/work-by-rule": _CALENDAR,
    "GET /api/v1/sla": _READ,
    "PUT /api/v1/sla": AccessPolicy(_W.SOMEWHERE, _P.SET_DEADLINES),
    "DELETE /api/v1/sla": AccessPolicy(_W.ASKED_TOWN, _P.SET_DEADLINES),
    "GET /api/v1/work-repeats": _READ,
    "GET /api/v1/work-plans": _READ,
    "POST /api/v1/work-plans": AccessPolicy(_W.SOMEWHERE, _P.DIRECT_WORK),
    "GET /api/v1/work-plans/{work_plan}": AccessPolicy(_W.WORK_PLAN, _P.READ),
    "POST /api/v1/work-plans/{work_plan}/end": AccessPolicy(_W.WORK_PLAN, _P.DIRECT_WORK),
    "GET /api/v1/routes": AccessPolicy(_W.EVERYWHERE, _P.READ_NAMES),
    "PUT /api/v1/routes": AccessPolicy(_W.EVERYWHERE, _P.EDIT_ROUTES),
    "GET /api/v1/routes/history": AccessPolicy(_W.EVERYWHERE, _P.READ_NAMES),
    "POST /api/v1/routes/test": AccessPolicy(_W.SOMEWHERE, _P.READ_NAMES),
    "GET /api/v1/teams": AccessPolicy(_W.SOMEWHERE, _P.READ_NAMES),
    "POST /api/v1/teams": AccessPolicy(_W.SOMEWHERE, _P.EDIT_ROUTES),
    "GET /api/v1/teams/{team}": AccessPolicy(_W.TEAM, _P.READ_NAMES),
    "PATCH /api/v1/teams/{team}": _TEAM,
    "DELETE /api/v1/teams/{team}": _TEAM,
    "GET /api/v1/on-call": AccessPolicy(_W.SOMEWHERE, _P.READ_NAMES),
    "POST /api/v1/on-call": AccessPolicy(_W.SOMEWHERE, _P.EDIT_ROUTES),
    "GET /api/v1/on-call/{schedule}": AccessPolicy(_W.SCHEDULE, _P.READ_NAMES),
    "GET /api/v1/on-call/{schedule}.ics": AccessPolicy(_W.SCHEDULE, _P.READ_NAMES),
    "PATCH /api/v1/on-call/{schedule}": _SCHEDULE,
    "DELETE /api/v1/on-call/{schedule}": _SCHEDULE,
    "POST /api/v1/on-call/{schedule}/overrides": _STAND_IN,
    "DELETE /api/v1/on-call/{schedule}/overrides/{override}": _STAND_IN,
    "POST /api/v1/on-call/{schedule}/import": _STAND_IN,
    "GET /api/v1/silences": _READ,
    "POST /api/v1/silences": AccessPolicy(_W.SOMEWHERE, _P.SILENCE_ALERTS),
    "GET /api/v1/silences/{silence}": AccessPolicy(_W.SILENCE, _P.READ),
    "POST /api/v1/silences/{silence}/end": AccessPolicy(_W.SILENCE, _P.SILENCE_ALERTS),
    "GET /api/v1/work-orders": _READ,
    "POST /api/v1/work-orders": AccessPolicy(_W.SOMEWHERE, _P.DIRECT_WORK),
    "GET /api/v1/work-orders/{order}": AccessPolicy(_W.WORK_ORDER, _P.READ),
    "POST /api/v1/work-orders/{order}/assign": _DIRECT,
    "POST /api/v1/work-orders/{order}/accept": _WORK,
    "POST /api/v1/work-orders/{order}/decline": _WORK,
    "POST /api/v1/work-orders/{order}/on-the-way": _WORK,
    "POST /api/v1/work-orders/{order}/start": _WORK,
    "POST /api/v1/work-orders/{order}/done": _WORK,
    "POST /api/v1/work-orders/{order}/cancel": _DIRECT,
    "POST /api/v1/work-orders/{order}/comments": _WORK,
    "POST /api/v1/work-orders/{order}/photos": _WORK,
    "GET /api/v1/work-orders/{order}/photos/{photo}": AccessPolicy(_W.WORK_ORDER, _P.READ_NAMES),
    "GET /api/v1/figures": AccessPolicy(_W.ASKED_TOWN, _P.READ),
    "GET /api/v1/reports/weekly": AccessPolicy(_W.ASKED_TOWN, _P.READ),
    "GET /api/v1/exports/alerts": _READ,
    "GET /api/v1/exports/readings": AccessPolicy(_W.ASKED_TOWN, _P.READ),
    "GET /api/v1/exports/work-orders": _READ,
    "GET /api/v1/rejections": _READ,
    "GET /api/v1/quarantine": AccessPolicy(_W.SOMEWHERE, _P.INSTALL_DEVICES),
    "POST /api/v1/quarantine/{unknown}/adopt": AccessPolicy(_W.SOMEWHERE, _P.INSTALL_DEVICES),
    "POST /api/v1/quarantine/{unknown}/replace": AccessPolicy(_W.SOMEWHERE, _P.INSTALL_DEVICES),
    "POST /api/v1/quarantine/{unknown}/replay": AccessPolicy(_W.SOMEWHERE, _P.INSTALL_DEVICES),
    "POST /api/v1/quarantine/{unknown}/ban": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "GET /api/v1/banned-devices": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "DELETE /api/v1/banned-devices/{unknown}": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "GET /api/v1/sources": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "POST /api/v1/sources": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "GET /api/v1/sources/{source}": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "PATCH /api/v1/sources/{source}": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "DELETE /api/v1/sources/{source}": AccessPolicy(_W.SOMEWHERE, _P.MANAGE_DEVICES),
    "GET /api/v1/system": AccessPolicy(_W.EVERYWHERE, _P.READ_AUDIT),
    "GET /api/v1/ledger": AccessPolicy(_W.ASKED_DEVICE, _P.READ),
    "GET /api/v1/blind-rules": _READ,
    "GET /api/v1/rules": _READ,
    "POST /api/v1/rules/test": AccessPolicy(_W.ASKED_DEVICE, _P.TRY_RULES),
    "POST /api/v1/rules/check": _EDIT_RULES,
    "GET /api/v1/rules/{rule}": _READ,
    "PUT /api/v1/rules/{rule}": _EDIT_RULES,
    "POST /api/v1/rules/{rule}/enable": _EDIT_RULES,
    "POST /api/v1/rules/{rule}/disable": _EDIT_RULES,
    "GET /api/v1/rules/{rule}/explain": AccessPolicy(_W.ASKED_DEVICE, _P.READ),
    "GET /api/v1/rules/{rule}/shadow": AccessPolicy(_W.EVERYWHERE, _P.READ),
    "PUT /api/v1/rules/{rule}/shadow": _EDIT_RULES,
    "POST /api/v1/rules/{rule}/shadow/promote": _EDIT_RULES,
    "DELETE /api/v1/rules/{rule}/shadow": _EDIT_RULES,
    "GET /api/v1/audit": _AUDIT,
    "GET /api/v1/audit/verify": _AUDIT,
    "GET /api/v1/users": _PEOPLE,
    "POST /api/v1/users": _PEOPLE,
    "GET /api/v1/users/{user}": _USER,
    "PATCH /api/v1/users/{user}": _USER,
    "DELETE /api/v1/users/{user}": _USER,
    "POST /api/v1/users/{user}/disable": _USER,
    "POST /api/v1/users/{user}/enable": _USER,
    "POST /api/v1/users/{user}/password": _USER,
    "POST /api/v1/users/{user}/link": _USER,
    "DELETE /api/v1/users/{user}/totp": _USER,
    "GET /api/v1/tokens": _TOKENS,
    "POST /api/v1/tokens": _TOKENS,
    "GET /api/v1/tokens/{token}": _TOKEN,
    "POST /api/v1/tokens/{token}/revoke": _TOKEN,
}
"""By method and path; one that ends with / stands for everything below it. HEAD is asked as GET is."""


class NoPolicy(Exception):
    """Routes and policies do not fit: a route has none, or a policy no route."""


def policy_of(method: str, path: str) -> AccessPolicy | None:
    """Return the policy of a route by its method and the path as declared; None where there is none."""
    key = f"{'GET' if method == 'HEAD' else method} {path}"
    found = POLICIES.get(key)
    if found is None and path.startswith("/console/"):
        found = POLICIES["GET /console/"]
    return found


def check(routes: Iterable[tuple[str, str]]) -> None:
    """Refuse to start with a route that nobody has thought about.

    Args:
        routes: method and path of each.

    Raises:
        NoPolicy: with all that is wrong.
    """
    declared = list(routes)
    missing = [f"{method} {path}" for method, path in declared if policy_of(method, path) is None]
    there = {f"{method} {path}" for method, path in declared}
    idle = [key for key in POLICIES if key not in there and not key.endswith("/")]
    if missing or idle:
        raise NoPolicy(f"routes without a policy: {missing}; policies without a route: {idle}")
