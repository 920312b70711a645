"""The pages of the console by what they are called, for each occupation: to be measured and to be shot."""

from __future__ import annotations

from collections.abc import Mapping

Pages = Mapping[str, Mapping[str, str]]

PAGES: Pages = {
    "operator": {
        "desk": "/",
        "alert": "/alerts/1",
        "devices": "/devices",
        "device": "/devices/TRP-BIN-001",
        "orders": "/work?all=1",
    },
    "technician": {"work": "/work", "order": "/work/2", "install": "/work/install"},
    "supervisor": {
        "reports": "/reports",
        "late": "/reports?part=late",
        "weekly": "/reports?part=weekly",
        "files": "/reports?part=files",
        "guide": "/guide/supervisor",
    },
    "administrator": {
        **{part: f"/admin/{part}" for part in (
            "people", "teams", "tokens", "town", "quarantine", "rejections", "commands", "firmware",
            "profiles", "sources", "rules", "routes", "on-call", "maintenance", "system", "audit",
        )},
        "admin-devices": "/admin/devices",
        "rule": "/admin/rules/bin-overflow",
        "profile": "/admin/profiles/milesight-em310-udl",
        "account": "/account",
    },
}  # fmt: skip
