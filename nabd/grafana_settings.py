"""Settings of `nabd grafana sync` and `annotate`; each field is the variable NABD_GRAFANA_<FIELD>."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from nabd.channel_settings import SECRET
from nabd.configuration.sources import ConfiguredSettings


class GrafanaSettings(ConfiguredSettings):
    """Where a server of Grafana is, who asks it, and how it reaches the database."""

    model_config = SettingsConfigDict(env_prefix="NABD_GRAFANA_", extra="ignore")

    url: str = Field(default="", pattern=r"^(https?://[^\s]+)?$", description="address of the server")
    user: str = Field(default="admin", description="a user with the server's administration")
    password: str = Field(default="", json_schema_extra=SECRET, description="the user's password")
    token: str = Field(
        default="",
        json_schema_extra=SECRET,
        description="of a service account with role Admin instead: its own organisation only",
    )
    database: str = Field(
        default="", description="host:port at which Grafana reaches the database; empty: as NABD_DATABASE"
    )
    database_tls: str = Field(default="", description="sslmode; empty: require, and disable on loopback")
