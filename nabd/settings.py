"""Settings of every process: variables NABD_* of the environment, files of secrets, one configuration file.

While `nabd up` runs, the file `running.env` in the data directory names its database and broker, so that
other commands in the same directory find them. Whatever else names them takes precedence.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from alerts.transition import Severity
from api.oidc.addresses import is_trusted_address
from api.tiles.source import source_of
from devices.texts.languages import DEFAULT, Language
from ingest.decide.quotas import Quota, QuotaPlan
from nabd.channel_settings import SECRET, ChannelSettings
from nabd.operating_settings import OperatingSettings
from nabd.retention_settings import RetentionSettings
from people.roles import Role
from readings.kept.retention import Retention, chunk_for
from store.tables import Resolution

RUNNING = Path(os.environ.get("NABD_DATA_DIR", "var")) / "running.env"

FEWEST_DAYS = {Resolution.READING: 7, Resolution.HOUR: 7, Resolution.DAY: 31}
"""For how long anything is kept at least, of all kinds and of one: devices resend what is days old."""


class GroupRole(BaseModel):
    """One role that a group of the OIDC issuer has; municipality: null for all, never left out by mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    municipality: str | None


class Settings(ChannelSettings, RetentionSettings, OperatingSettings):
    """What a Nabd process needs to know; each field is the variable NABD_<FIELD>; an empty one is none."""

    model_config = SettingsConfigDict(
        env_prefix="NABD_", env_file=RUNNING, env_ignore_empty=True, extra="ignore"
    )

    database: str | None = Field(
        default=None, description="PostgreSQL DSN; empty: an embedded server in data_dir"
    )
    database_password: str = Field(
        default="", json_schema_extra=SECRET, description="the password there, where the DSN has none"
    )
    replica: str | None = Field(
        default=None,
        json_schema_extra=SECRET,
        description="PostgreSQL DSN of a physical replica that the API reads the past from; empty: none",
    )
    broker: str | None = Field(
        default=None, description="mqtt://[user:password@]host[:port]; empty: an embedded broker"
    )
    broker_password: str = Field(
        default="", json_schema_extra=SECRET, description="the password there, where the address has none"
    )
    stream: str | None = Field(
        default=None,
        description="nats://[user:password@]host[:port]: ingest pulls from JetStream; empty: from the broker",
    )
    compiled_code: bool = Field(
        default=True,
        description="ingest decodes and judges by compiled code where it can; false: never, slower",
    )
    data_dir: Path = Field(default=Path("var"), description="where embedded parts keep their files")
    kinds_dir: Path | None = Field(default=None, description="directory of *.toml kind declarations")
    profiles_dir: Path | None = Field(
        default=None, description="directory of *.toml profiles: how models of other vendors are read"
    )
    source_targets: list[str] = Field(
        default=[],
        description="JSON list: hosts, addresses and networks that sources may name beside public ones",
    )
    rules_dir: Path | None = Field(
        default=None, description="directory of *.yaml rule files that `nabd migrate` puts into force"
    )
    town: str = Field(
        default="", description="name of the municipality that the first `nabd migrate` makes; empty: none"
    )
    language: Language = Field(default=DEFAULT, description="what people of that municipality read")
    time_zone: str = Field(default="UTC", description="where that municipality is, such as Asia/Beirut")
    shard: str = Field(default="main", description="name of the set of municipalities this ingest owns")
    http_host: str = Field(default="127.0.0.1", description="address the API listens on")
    http_port: int = Field(default=8000, ge=0, le=65535, description="port the API listens on; 0: a free one")
    http_token_always: bool = Field(
        default=False, description="a proxy on this machine passes requests on: answer to its host names too"
    )
    session_idle_hours: int = Field(
        default=12, ge=1, description="after how long without use a person is signed out"
    )
    session_days: int = Field(
        default=14, ge=1, le=400, description="after how long a person signs in again, whatever happens"
    )
    totp_required_for_admins: bool = Field(
        default=False, description="administrators must show the code of an app when they sign in"
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="people sign in there too (OpenID Connect); https, or loopback; empty: nowhere",
    )
    oidc_client_id: str = Field(default="", description="what this installation is called at the issuer")
    oidc_client_secret: str = Field(
        default="",
        json_schema_extra=SECRET,
        description="its secret there; empty: none (public client)",
    )
    oidc_groups_claim: str = Field(default="groups", description="the claim that holds a person's groups")
    oidc_roles: dict[str, list[GroupRole]] = Field(
        default={},
        description='JSON object: what each group may do: {"roads": [{"role": "operator", '
        '"municipality": "tripoli"}]}; null: in all',
    )
    oidc_name: str = Field(
        default="OpenID Connect", max_length=60, description="what the sign-in page calls the issuer"
    )
    clock: str | None = Field(
        default=None, description="REAL:SCALED:SPEED in microseconds; set by `nabd demo --speed` only"
    )
    retention_days: int = Field(
        default=90, ge=FEWEST_DAYS[Resolution.READING], description="how long raw readings are kept, in days"
    )
    hours_retention_days: int = Field(
        default=731,
        ge=FEWEST_DAYS[Resolution.HOUR],
        description="how long hourly rollups of readings are kept, in days",
    )
    days_retention_days: int = Field(
        default=3653,
        ge=FEWEST_DAYS[Resolution.DAY],
        description="how long daily rollups of readings are kept, in days",
    )
    kind_retention_days: dict[str, dict[Resolution, int]] = Field(
        default={},
        description='JSON object: other lengths for some kinds, in days: {"drone": {"reading": 30}}',
    )
    readings_per_day: int = Field(
        default=10_000_000,
        ge=1,
        description="about how many readings of the busiest kind arrive in a day; sizes chunks of new tables",
    )
    keep_alive_s: int = Field(default=30, ge=2, description="MQTT keep-alive, in seconds")
    receive_maximum: int = Field(
        default=65_535, ge=1, le=65_535, description="messages the broker may have unacknowledged at ingest"
    )
    broker_queue: int = Field(
        default=2_000_000,
        ge=0,
        description="messages the broker can hold for ingest (max_queued_messages); 0: without limit",
    )
    broker_memory_mb: int = Field(
        default=4096, ge=0, description="memory the broker may use (memory_limit), in MiB; 0: without limit"
    )
    acknowledged_for_h: dict[Severity, float] = Field(
        default={Severity.CRITICAL: 1.0, Severity.MAJOR: 8.0},
        description="JSON object: after how many hours an acknowledgement lapses, by severity; else never",
    )
    audit_dir: Path | None = Field(
        default=None,
        description="where heads of the audit are kept beside the database; empty: audit in data_dir",
    )
    photo_dir: Path | None = Field(
        default=None, description="where photos of work orders are kept; empty: photos in data_dir"
    )
    firmware_dir: Path | None = Field(
        default=None, description="where firmware images are kept; empty: firmware in data_dir"
    )
    map_tiles: str | None = Field(
        default=None,
        description="what lies under the map: a file *.pmtiles, or https://HOST/…/{z}/{x}/{y}.png or .pbf;"
        " empty: the municipalities' layers alone",
    )
    map_attribution: str = Field(
        default="", max_length=200, description="who is to be named on the map, such as © OpenStreetMap"
    )
    tls_dir: Path | None = Field(
        default=None,
        description="where the authority, the server's certificate and the list of revocations lie;"
        " empty: tls in data_dir",
    )
    broker_files: Path | None = Field(
        default=None,
        description="directory through which the broker learns who may sign in (MQTT_INCOMING there);"
        " empty: its passwords are made by hand",
    )
    batch_rows: int = Field(default=30_000, ge=1, description="most messages in one transaction")
    quota_messages: int = Field(
        default=600, ge=0, description="messages a device may send a minute in the long run; 0: any number"
    )
    quota_readings: int = Field(
        default=600, ge=0, description="readings a device may send a minute in the long run; 0: any number"
    )
    quota_bytes: int = Field(
        default=614_400, ge=0, description="bytes a device may send a minute in the long run; 0: any number"
    )
    kind_quotas: dict[str, dict[Literal["messages", "readings", "bytes"], Annotated[int, Field(ge=0)]]] = (
        Field(
            default={}, description='JSON object: other quotas of some kinds: {"drone": {"readings": 6000}}'
        )
    )
    requests_token: int = Field(
        default=3_000, ge=0, description="requests of the API a minute by one token or session; 0: any number"
    )
    requests_address: int = Field(
        default=6_000, ge=0, description="the same by one address, other than this machine's; 0: any number"
    )

    @field_validator("kind_retention_days")
    @classmethod
    def _kinds_are_kept_as_long(
        cls, said: dict[str, dict[Resolution, int]]
    ) -> dict[str, dict[Resolution, int]]:
        for kind, lengths in said.items():
            for resolution, days in lengths.items():
                if days < FEWEST_DAYS[resolution]:
                    raise ValueError(f"{kind}.{resolution}: {FEWEST_DAYS[resolution]} days or more")
        return said

    @field_validator("map_tiles")
    @classmethod
    def _tiles_can_be_asked_for(cls, said: str | None) -> str | None:
        source_of(said)
        return said

    @model_validator(mode="after")
    def _addresses_have_their_passwords(self) -> Self:
        self.database = _with_password(self.database, self.database_password)
        self.broker = _with_password(self.broker, self.broker_password)
        return self

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> Self:
        if not self.oidc_issuer:
            return self
        if not is_trusted_address(self.oidc_issuer):
            raise ValueError("NABD_OIDC_ISSUER begins with https://, or is http:// on loopback")
        if not self.oidc_client_id or not any(self.oidc_roles.values()):
            raise ValueError("NABD_OIDC_ISSUER needs NABD_OIDC_CLIENT_ID and NABD_OIDC_ROLES")
        return self


def _with_password(address: str | None, password: str) -> str | None:
    """Return an address with the password that a file has, unless it has one or names nobody."""
    if not address or not password:
        return address
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    if not at or ":" in user:
        return address
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def audit_directory(settings: Settings) -> Path:
    """Return where the heads of the audit's months are kept."""
    return settings.audit_dir or settings.data_dir / "audit"


def photo_directory(settings: Settings) -> Path:
    """Return where photos of work orders are kept."""
    return settings.photo_dir or settings.data_dir / "photos"


def firmware_directory(settings: Settings) -> Path:
    """Return where firmware images are kept."""
    return settings.firmware_dir or settings.data_dir / "firmware"


BUILT = Path(sys.prefix) / "share" / "nabd"
"""What was compiled as Nabd was installed."""


def compiled_directories(settings: Settings) -> list[Path]:
    """Return where compiled code may lie; ingest itself compiles into the last one."""
    return [BUILT, settings.data_dir.absolute() / "compiled"]


def tls_directory(settings: Settings) -> Path:
    """Return where files of TLS are kept."""
    return settings.tls_dir or settings.data_dir / "tls"


def authority_file(settings: Settings) -> Path:
    """Return where the certificate of the installation's authority lies, if it has one.

    Where the broker is told who may sign in, the copy for it is taken: `nabd api` needs no other file of TLS.
    """
    return (settings.broker_files or tls_directory(settings)) / "authority.pem"


def backup_directory(settings: Settings) -> Path:
    """Return where backups are made and looked for."""
    return settings.backup_dir or settings.data_dir / "backups"


def retention_of(settings: Settings) -> Retention:
    """Return how long readings and their rollups are kept."""
    lengths = {
        Resolution.READING: settings.retention_days,
        Resolution.HOUR: settings.hours_retention_days,
        Resolution.DAY: settings.days_retention_days,
    }
    return Retention(
        lengths={resolution: timedelta(days=days) for resolution, days in lengths.items()},
        of_kinds={
            kind: {resolution: timedelta(days=days) for resolution, days in of_kind.items()}
            for kind, of_kind in settings.kind_retention_days.items()
        },
        chunk=chunk_for(settings.readings_per_day),
    )


def quotas_of(settings: Settings) -> QuotaPlan:
    """Return how much a device may send."""
    default = Quota(
        messages=settings.quota_messages, readings=settings.quota_readings, bytes=settings.quota_bytes
    )
    return QuotaPlan(
        default=default,
        of_kinds={kind: replace(default, **said) for kind, said in settings.kind_quotas.items()},
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return these settings as environment variables for another process."""
    values = settings.model_dump(mode="json")
    return {
        f"NABD_{name.upper()}": json.dumps(value) if isinstance(value, dict | list) else str(value)
        for name, value in values.items()
        if value is not None
    }
