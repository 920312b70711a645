"""A file for whoever helps: what an installation is and what is wrong with it, without secrets and people.

Settings are shown by what they are: numbers, switches and names of directories. Every text may be a secret
and is hidden, but for those that are known not to be. What is hidden is then looked for in the rest, which
error messages of others may repeat, as are addresses of e-mail and numbers of telephones. No payload of a
device is asked for.
"""

from __future__ import annotations

import platform
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from prometheus_client import CollectorRegistry

from api.metrics import platform as platform_metrics
from devices.instants import to_datetime
from devices.texts.languages import DEFAULT
from nabd import clock
from nabd.broker import address
from nabd.doctor.check import CheckResult
from nabd.settings import Settings
from store.connection import Connection
from store.pool import name_of

HIDDEN = "[hidden]"
PLAIN = frozenset(
    {
        "data_dir", "kinds_dir", "profiles_dir", "rules_dir", "audit_dir", "photo_dir", "backup_dir",
        "backup_files", "shard",
        "http_host", "clock", "sms_method", "oidc_groups_claim", "map_attribution", "kind_retention_days",
        "acknowledged_for_h",
    }
)  # fmt: skip
"""Settings that hold texts, and nothing to hide."""
LEAST = 4
"""A hidden text that is shorter would be found in every word."""
LONG = 10
"""A part of a hidden text that is as long is looked for by itself."""

_EMAIL = re.compile(r"[^\s<>\"'@,;:]+@[^\s<>\"'@,;:]+\.[a-z]{2,}", re.IGNORECASE)
_PHONE = re.compile(r"\+\d[\d ().-]{6,}\d")

_MIGRATIONS = "SELECT number, name, applied_at FROM nabd_migration ORDER BY number"
_REJECTIONS = """
SELECT reason, count(*) AS messages, max(received_at) AS last_at FROM rejection
WHERE received_at > $1 GROUP BY reason ORDER BY reason
"""
_SERVER = "SELECT version() AS version, (SELECT edition FROM nabd_schema) AS edition"
DAYS = 7


async def database_part(connection: Connection) -> dict[str, Any]:
    """Return what a database adds: its version, migrations, and why messages were rejected lately."""
    since = to_datetime(clock.wall()) - timedelta(days=DAYS)
    return {
        "server": [dict(row) for row in await connection.fetch(_SERVER)],
        "migrations": [dict(row) for row in await connection.fetch(_MIGRATIONS)],
        "rejections": [dict(row) for row in await connection.fetch(_REJECTIONS, since)],
    }


async def metrics(connection: Connection, declared: Iterable[str], now: int, speed: float) -> str:
    """Return what /metrics says of the platform, but for the broker's part."""
    found = await platform_metrics.read(connection, declared, now)
    ages = platform_metrics.Ages(now=now, speed=speed)
    families = platform_metrics.families(found, None, ages)
    return platform_metrics.text(CollectorRegistry(), families).decode()


def write(
    file: Path,
    settings: Settings,
    found: Sequence[CheckResult],
    database: Mapping[str, Any],
    measured: str,
    at: datetime,
) -> list[str]:
    """Write the bundle and return what is in it.

    Raises:
        OSError: the file exists or cannot be written.
    """
    secrets = secrets_of(settings)
    members = {
        "about.json": _json({"made_at": at, "nabd": _versions().get("nabd"), "rejections_of_days": DAYS}),
        "settings.json": _json(shown(settings)),
        "versions.json": _json({**_machine(), "packages": _versions()}),
        "doctor.json": _json([one.in_language(DEFAULT) for one in found]),
        "metrics.txt": measured,
        **{f"{name}.json": _json(rows) for name, rows in database.items()},
    }
    with zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in members.items():
            bundle.writestr(name, redacted(text, secrets))
    return list(members)


def shown(settings: Settings) -> dict[str, object]:
    """Return the settings with whatever may be secret hidden; those that were set have `set`."""
    return {
        f"NABD_{name.upper()}": {"value": _shown(name, value), "set": name in settings.model_fields_set}
        for name, value in settings.model_dump(mode="json").items()
    }


def _shown(name: str, value: object) -> object:
    if not value or isinstance(value, int | float) or name in PLAIN:
        return value
    match name, value:
        case "database", str():
            return name_of(value)
        case "broker", str():
            try:
                return str(address.parse(value))
            except ValueError:
                return HIDDEN
    return HIDDEN


def redacted(text: str, secrets: Sequence[str]) -> str:
    """Return a text without secrets, addresses of e-mail and numbers of telephones."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _PHONE.sub(HIDDEN, _EMAIL.sub(HIDDEN, text))


def secrets_of(settings: Settings) -> list[str]:
    """Return what must not be found anywhere: hidden settings and their secret parts, the longest first."""
    found: set[str] = set()
    for name, value in settings.model_dump(mode="json").items():
        if _shown(name, value) != value:
            for text in _texts(value):
                found |= _parts(text)
    kept = {one for one in found if len(one) >= LEAST}
    written = {msgspec.json.encode(one).decode()[1:-1] for one in kept}
    return sorted(kept | written, key=len, reverse=True)


def _parts(text: str) -> set[str]:
    """Return a hidden text, and what in it may stand elsewhere: passwords, tokens, words."""
    found = {text, *(word for word in text.split() if len(word) >= LONG)}
    try:
        parts = urlsplit(text)
    except ValueError:
        return found
    if parts.scheme and parts.netloc:
        asked = [value for _, value in parse_qsl(parts.query)]
        found |= {word for word in (*parts.path.split("/"), *asked) if len(word) >= LONG}
        found |= {parts.password or "", unquote(parts.password or "")}
    return found


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _texts(one)
        case dict():
            for one in value.values():
                yield from _texts(one)


def _machine() -> dict[str, str]:
    return {"python": platform.python_version(), "system": platform.platform(), "machine": platform.machine()}


def _versions() -> dict[str, str]:
    return {
        one.metadata["Name"]: one.version for one in sorted(distributions(), key=lambda d: d.metadata["Name"])
    }


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=1).decode()
