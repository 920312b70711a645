"""Settings of whoever keeps an installation alive: backups, and who is told that all is well."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from nabd.channel_settings import SECRET
from nabd.configuration.sources import ConfiguredSettings


class OperatingSettings(ConfiguredSettings):
    """What is backed up, and for whom it is encrypted."""

    heartbeat_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s]+)?$",
        json_schema_extra=SECRET,
        description="asked for each minute while all is well, by `nabd sweep`; a service elsewhere misses it",
    )
    traces_endpoint: str = Field(
        default="",
        pattern=r"^(https?://[^\s]+)?$",
        json_schema_extra=SECRET,
        description="where traces are sent (OTLP over HTTP), http://collector:4318/v1/traces; empty: none",
    )
    backup_dir: Path | None = Field(
        default=None, description="where backups are made and looked for; empty: backups in data_dir"
    )
    backup_key: str | None = Field(
        default=None,
        description="public key (age1…) that encrypts backups, or the key file of `nabd backup key`",
    )
    backup_files: list[Path] = Field(
        default=[],
        description="JSON list of files and directories that are backed up too: the broker's passwords,"
        " certificates, .env",
    )
