"""What the same tasks take elsewhere, by the steps that the makers' own pages name. Read in November 2026.

A step is what a person presses, chooses or types; "optional" ones are left out. Where we found no way in the
documentation, nothing stands here. Versions, plans and our reading may be wrong: each has its page beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

THINGSBOARD, ZABBIX, GRAFANA = "ThingsBoard", "Zabbix", "Grafana"
KUMA, PAGERDUTY = "Uptime Kuma", "PagerDuty"
_ALARMS = "https://thingsboard.io/docs/user-guide/alarms/"


@dataclass(frozen=True, slots=True, kw_only=True)
class RivalSteps:
    """How many steps a product's page names for a task. note: which, or what it does not do."""

    product: str
    steps: int
    page: str
    note: str


RIVALS: Mapping[str, Sequence[RivalSteps]] = {
    "new": (
        RivalSteps(product=THINGSBOARD, steps=1, page=_ALARMS, note="the page *Alarms*: all active ones"),
    ),
    "worst": (
        RivalSteps(product=THINGSBOARD, steps=2, page=_ALARMS, note="*Alarms*, then … of one; no advice"),
    ),
    "acknowledge-20": (
        RivalSteps(
            product=ZABBIX,
            steps=4,
            page="https://www.zabbix.com/documentation/7.4/en/manual/acknowledgment",
            note="choose, *Mass update*, *Acknowledge*, *Update*",
        ),
        RivalSteps(product=THINGSBOARD, steps=20, page=_ALARMS, note="the icon of each"),
    ),
    "assign": (
        RivalSteps(
            product=THINGSBOARD,
            steps=5,
            page=_ALARMS,
            note="*Devices*, the device, *Alarms*, *Assignee*, the person; owners of the device only",
        ),
    ),
    "silence": (
        RivalSteps(
            product=GRAFANA,
            steps=8,
            page="https://grafana.com/docs/grafana/latest/alerting/configure-notifications/create-silence/",
            note="*Alerting*, *Silences*, *Create silence*, start and end, label, value, *Submit*",
        ),
        RivalSteps(
            product=KUMA,
            steps=7,
            page="https://github.com/louislam/uptime-kuma/wiki/Maintenance",
            note="menu, *Schedule Maintenance*, title, monitors one by one, strategy, start, end",
        ),
        RivalSteps(
            product=PAGERDUTY,
            steps=3,
            page="https://support.pagerduty.com/main/docs/edit-incidents",
            note="acknowledge, *Snooze*, for how long; one incident, no district",
        ),
    ),
    "yesterday": (
        RivalSteps(
            product=THINGSBOARD, steps=3, page=_ALARMS, note="*Alarms*, filter, time interval; no map of then"
        ),
    ),
    "person": (
        RivalSteps(
            product=THINGSBOARD,
            steps=4,
            page="https://thingsboard.io/docs/paas/user-guide/ui/users",
            note="*Users*, *Add user*, e-mail, *Add*; groups apart",
        ),
        RivalSteps(
            product=GRAFANA,
            steps=9,
            page="https://grafana.com/docs/grafana/latest/administration/user-management/manage-org-users/",
            note="three menus, *Organization users*, *Invite*, e-mail, name, role, *Submit*",
        ),
    ),
    "device": (
        RivalSteps(
            product=THINGSBOARD,
            steps=6,
            page="https://thingsboard.io/docs/user-guide/ui/devices/",
            note="*Entities*, *Devices*, +, *Add new device*, name, *Add*; without a place",
        ),
    ),
}
"""By the name of a task, the fewest steps not necessarily first."""
LOOKED_AT = ("ThingsBoard", "Home Assistant", "Uptime Kuma", "Grafana", "Zabbix", "PagerDuty")
