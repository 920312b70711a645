"""What each role may do: one table, asked by every door of the platform. Pure.

A person may hold roles in several municipalities; a token holds one. Must not know routes or commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a municipality, or in all of them."""

    VIEWER = "viewer"
    TECHNICIAN = "technician"
    OPERATOR = "operator"
    ADMIN = "admin"
    MINISTRY = "ministry"


class Permission(StrEnum):
    """One thing that somebody may do, or not."""

    READ = "read"
    """Devices, readings, alerts, rules, what was rejected."""
    READ_NAMES = "read-names"
    """Who did something, and what people wrote: personal data."""
    ANSWER_ALERTS = "answer-alerts"
    """Acknowledge, comment and take over."""
    ASSIGN_ALERTS = "assign-alerts"
    """To others; whoever answers alerts takes over what they want."""
    ENTER_READINGS = "enter-readings"
    """By hand: what somebody reads off a meter, or sees at a device."""
    INSTALL_DEVICES = "install-devices"
    """Register devices, and change what is said of them."""
    MANAGE_DEVICES = "manage-devices"
    """Take devices out of service, enter what was learned of them, and import districts and streets."""
    COMMAND_DEVICES = "command-devices"
    """Tell a device to do something, and say what it is to be set to."""
    COMMAND_MANY = "command-many"
    """Ask for a command to many devices, and approve what another one asked for."""
    UPDATE_FIRMWARE = "update-firmware"
    """Start, pause and cancel rollouts."""
    DO_WORK = "do-work"
    """Act on work orders of one's own: accept, decline, report done, comment, add photos."""
    DIRECT_WORK = "direct-work"
    """Make work orders, give them to others, cancel them, and act on those of others."""
    SET_DEADLINES = "set-deadlines"
    """Say when people work, how soon work is due, and whether rules make orders."""
    PLAN_MAINTENANCE = "plan-maintenance"
    SEND_ALERTS = "send-alerts"
    """Those of another system, as one of its programs does."""
    SILENCE_ALERTS = "silence-alerts"
    """Say that nobody is told of some alerts for a while."""
    TRY_RULES = "try-rules"
    """Say what rules would have done: costs much, changes nothing."""
    EDIT_RULES = "edit-rules"
    EDIT_ROUTES = "edit-routes"
    """Say whom alerts are told: routes, teams, on-call schedules."""
    PLAN_ON_CALL = "plan-on-call"
    """Say who stands in on an on-call schedule."""
    READ_AUDIT = "read-audit"
    """Who changed what, when and from where."""
    MANAGE_PEOPLE = "manage-people"
    MANAGE_TOKENS = "manage-tokens"
    RELAY_ANSWERS = "relay-answers"
    """Pass SMS on that people answer messages with."""
    WATCH_PLATFORM = "watch-platform"
    """Metrics, and which part is not ready."""


_VIEWER = frozenset({Permission.READ, Permission.READ_NAMES, Permission.WATCH_PLATFORM})
_TECHNICIAN = _VIEWER | {
    Permission.ANSWER_ALERTS,
    Permission.DO_WORK,
    Permission.ENTER_READINGS,
    Permission.INSTALL_DEVICES,
}
_OPERATOR = _VIEWER | {
    Permission.ANSWER_ALERTS,
    Permission.ASSIGN_ALERTS,
    Permission.COMMAND_DEVICES,
    Permission.DIRECT_WORK,
    Permission.DO_WORK,
    Permission.ENTER_READINGS,
    Permission.PLAN_MAINTENANCE,
    Permission.PLAN_ON_CALL,
    Permission.SILENCE_ALERTS,
    Permission.TRY_RULES,
}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.MINISTRY: _VIEWER - {Permission.READ_NAMES},
    Role.VIEWER: _VIEWER,
    Role.TECHNICIAN: _TECHNICIAN,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: _TECHNICIAN
    | _OPERATOR
    | {
        Permission.COMMAND_MANY,
        Permission.UPDATE_FIRMWARE,
        Permission.MANAGE_DEVICES,
        Permission.SEND_ALERTS,
        Permission.EDIT_RULES,
        Permission.EDIT_ROUTES,
        Permission.SET_DEADLINES,
        Permission.READ_AUDIT,
        Permission.MANAGE_PEOPLE,
        Permission.MANAGE_TOKENS,
        Permission.RELAY_ANSWERS,
    },
}
"""What is not here is not allowed."""


class TokenScope(StrEnum):
    """One thing that a token may do without a role."""

    METRICS = "metrics"
    ALERTS = "alerts"
    SMS_ANSWERS = "sms-answers"


SCOPES: Mapping[TokenScope, frozenset[Permission]] = {
    TokenScope.METRICS: frozenset({Permission.WATCH_PLATFORM}),
    TokenScope.ALERTS: frozenset({Permission.SEND_ALERTS}),
    TokenScope.SMS_ANSWERS: frozenset({Permission.RELAY_ANSWERS}),
}
