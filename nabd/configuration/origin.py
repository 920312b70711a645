"""Who said each setting: the value as it counts, and the variable or file it is from. Secrets are hidden."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from nabd.configuration.answers import without_password
from nabd.configuration.sources import FileSettingsSource, file_sources
from store.pool import name_of

HIDDEN = "(secret)"
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingOrigin:
    """One setting: its variable, its value as text, and where that is from."""

    name: str
    value: str
    origin: str
    meaning: str


def origins_of(settings: BaseSettings, running: Path) -> list[SettingOrigin]:
    """Return every setting in the order of their declaration.

    Args:
        settings: as they count.
        running: what a `nabd up` in this directory has written.
    """
    kind = type(settings)
    prefix = kind.model_config.get("env_prefix", "")
    files = file_sources(kind)
    written = dotenv_values(running) if running.exists() else {}
    found = []
    for field, declared in kind.model_fields.items():
        name = f"{prefix}{field.upper()}"
        found.append(
            SettingOrigin(
                name=name,
                value=_shown(field, declared, getattr(settings, field)),
                origin=_origin(name, files, written, running),
                meaning=declared.description or "",
            )
        )
    return found


def _origin(
    name: str, files: list[FileSettingsSource], written: Mapping[str, str | None], running: Path
) -> str:
    if os.environ.get(name):
        return f"environment {name}"
    for source in files:
        if source.env_vars.get(name.lower()):
            return source.origins[name.lower()]
    return str(running) if written.get(name) else DEFAULT


def _shown(field: str, declared: FieldInfo, value: Any) -> str:
    if value in (None, "", {}, []):
        return ""
    if isinstance(declared.json_schema_extra, dict) and declared.json_schema_extra.get("secret"):
        return HIDDEN
    if field == "database":
        return name_of(value)
    if isinstance(value, str) and "://" in value:
        return without_password(value)
    return (
        json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    )
