"""Units of the processes: one service each, all of one target, as confined as their work allows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nabd.accounts.grants import Account

PROGRAM = "/usr/lib/nabd/bin/nabd"
CONFIGURATION = "/etc/nabd/nabd.env"
SECRETS = "/etc/nabd/secrets"
TLS = "/var/lib/nabd/tls"
BROKER = "/usr/lib/nabd/mosquitto"
CADDYFILE = "/etc/nabd/Caddyfile"
CADDY = "/usr/lib/nabd/caddy"
BACKUPS = "/var/backups/nabd"
"""Where backups may be made, beside NABD_DATA_DIR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One service.

    Attributes:
        name: of the unit without its type.
        does: what it is for, in a few words.
        run: the command line.
        after: units it waits for, and needs.
        account: as whom it signs in at the database.
        broker: as whom at the broker, with its door there.
        secrets: what else of `secrets` it is given, as the setting of that name.
        authority: it signs certificates, or keeps a copy; nobody else sees the authority's key.
        settings: further lines of [Service].
        stop_s: how long it may take to stop.
        once: it does something and ends.
        at: when a timer starts it (OnCalendar), instead of nabd.target.
        wanted: nabd.target starts it.
    """

    name: str
    does: str
    run: str
    after: Sequence[str] = ()
    account: Account | None = None
    broker: tuple[str, int] | None = None
    secrets: Sequence[str] = ()
    authority: bool = False
    settings: Sequence[str] = ()
    stop_s: int = 30
    once: bool = False
    at: str = ""
    wanted: bool = True


MIGRATED = ("nabd-migrate.service",)
SERVES = (*MIGRATED, "nabd-broker.service")
OF_CHANNELS = ("email-server", "webhook-secret", "telegram-token", "ntfy-token")
READS_ALL = ("AmbientCapabilities=CAP_DAC_READ_SEARCH", "CapabilityBoundingSet=CAP_DAC_READ_SEARCH")
"""Secrets too, which are root's: a backup may name /etc/nabd."""
PORTS_BELOW_1024 = ("AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE")
UNITS = (
    Unit(
        name="nabd-migrate",
        does="Nabd: bring the database to this version",
        run=f"{PROGRAM} migrate",
        after=("postgresql.service",),
        account=Account.OWNER,
        once=True,
    ),
    Unit(
        name="nabd-ingest",
        does="Nabd: from the broker to committed rows",
        run=f"{PROGRAM} ingest",
        after=SERVES,
        account=Account.INGEST,
        broker=("ingest", 1885),
    ),
    Unit(
        name="nabd-sweep",
        does="Nabd: rules about absence, partitions, rollups",
        run=f"{PROGRAM} sweep",
        after=SERVES,
        account=Account.SWEEP,
        broker=("api", 1884),
        authority=True,
    ),
    Unit(
        name="nabd-notify",
        does="Nabd: tell people of alerts",
        run=f"{PROGRAM} notify",
        after=MIGRATED,
        account=Account.NOTIFY,
        secrets=OF_CHANNELS,
    ),
    Unit(
        name="nabd-bridge",
        does="Nabd: brokers and network servers of others",
        run=f"{PROGRAM} bridge",
        after=SERVES,
        account=Account.BRIDGE,
        broker=("bridge", 1884),
    ),
    Unit(
        name="nabd-api",
        does="Nabd: HTTP, live stream and console",
        run=f"{PROGRAM} api",
        after=SERVES,
        account=Account.API,
        broker=("api", 1884),
        secrets=(*OF_CHANNELS, "oidc-client-secret"),
    ),
    Unit(
        name="nabd-annotate",
        does="Nabd: alerts as annotations in Grafana",
        run=f"{PROGRAM} grafana annotate",
        after=MIGRATED,
        account=Account.ANNOTATE,
        secrets=("grafana-token",),
        wanted=False,
    ),
    Unit(
        name="nabd-backup",
        does="Nabd: back up what an installation holds",
        run=f"{PROGRAM} backup make",
        after=MIGRATED,
        account=Account.OWNER,
        authority=True,
        settings=(f"ReadWritePaths=-{BACKUPS}", *READS_ALL),
        once=True,
        at="*-*-* 01:00:00",
        wanted=False,
    ),
    Unit(
        name="nabd-broker",
        does="Nabd: mosquitto with doors for devices, platform and ingest",
        run=f"{BROKER}/start",
        settings=(
            "Environment=MQTT_DATA=/var/lib/nabd/broker MQTT_INCOMING=/var/lib/nabd/broker-files",
            "Environment=MQTT_SECURE_DOOR=*:8883 MQTT_CERTIFIED_DOOR=*:8884 MQTT_NEXT_DOOR=*:8885",
            "Environment=MQTT_INGEST_PASSWORD_FILE=%d/broker-ingest",
            "Environment=MQTT_API_PASSWORD_FILE=%d/broker-api",
            "Environment=MQTT_BRIDGE_PASSWORD_FILE=%d/broker-bridge",
            "Environment=MQTT_SIMULATOR_PASSWORD_FILE=%d/broker-simulator",
            *(
                f"LoadCredential=broker-{name}:{SECRETS}/broker-{name}"
                for name in ("ingest", "api", "bridge", "simulator")
            ),
            "StateDirectory=nabd/broker nabd/broker-files",
            f"InaccessiblePaths=-{SECRETS} -{TLS}",
            "ExecReload=/bin/kill -HUP $MAINPID",
        ),
    ),
    Unit(
        name="nabd-https",
        does="Nabd: HTTPS before the console, by Caddy",
        run=f"{CADDY}/start",
        after=("nabd-api.service",),
        settings=(
            f"EnvironmentFile={CONFIGURATION}",
            "Environment=XDG_DATA_HOME=/var/lib/nabd/https XDG_CONFIG_HOME=/var/lib/nabd/https",
            f"Environment=NABD_API=127.0.0.1:8000 NABD_TLS={TLS} NABD_CADDYFILE={CADDYFILE}",
            f"InaccessiblePaths=-{SECRETS}",
            f"ExecReload=/usr/bin/caddy reload --config {CADDYFILE} --adapter caddyfile --force",
            *PORTS_BELOW_1024,
        ),
    ),
)
TARGET = """\
[Unit]
Description=Nabd: every process of this machine
Documentation=file:/usr/share/doc/nabd/installation.md

[Install]
WantedBy=multi-user.target
"""
_TIMER = """\
[Unit]
Description={does}, by the clock
Documentation=file:/usr/share/doc/nabd/backup.md

[Timer]
OnCalendar={at}
RandomizedDelaySec=15min
Persistent=yes

[Install]
WantedBy=timers.target
"""
_ONCE = ("Type=oneshot", "RemainAfterExit=yes")
_AGAIN = ("Type=oneshot",)
_LASTING = ("Type=exec", "Restart=always", "RestartSec=2")
_CONFINED = """\
User=nabd
Group=nabd
UMask=0027
StateDirectory=nabd
StateDirectoryMode=0750
WorkingDirectory=/var/lib/nabd
NoNewPrivileges=yes
{capabilities}ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""


def rendered(unit: Unit, program: str = PROGRAM) -> str:
    """Return the text of a service; `program` is where `nabd` is."""
    after = " ".join(("network-online.target", *unit.after))
    requires = f"Requires={' '.join(MIGRATED)}\n" if set(MIGRATED) & set(unit.after) else ""
    lines = [
        "[Unit]",
        f"Description={unit.does}",
        "Documentation=file:/usr/share/doc/nabd/installation.md",
        f"After={after}",
        "Wants=network-online.target",
        f"{requires}PartOf=nabd.target",
        "",
        "[Service]",
        *(_AGAIN if unit.at else _ONCE if unit.once else _LASTING),
        f"ExecStart={unit.run.replace(PROGRAM, program)}",
        f"TimeoutStopSec={unit.stop_s}",
        *identity(unit),
        *unit.settings,
        *([] if unit.authority else [f"InaccessiblePaths=-{TLS}/authority.key"]),
    ]
    capabilities = "" if any("Capabilit" in line for line in unit.settings) else "CapabilityBoundingSet=\n"
    text = "\n".join(lines) + "\n\n" + _CONFINED.format(capabilities=capabilities)
    return text + ("\n[Install]\nWantedBy=nabd.target\n" if unit.wanted else "")


def timer(unit: Unit) -> str:
    """Return the text of the timer that starts a service."""
    return _TIMER.format(does=unit.does, at=unit.at)


def identity(unit: Unit) -> list[str]:
    """Return as whom a process signs in: addresses without passwords, and passwords as files of systemd's."""
    if unit.account is None:
        return []
    found = [
        f"Environment=NABD_CONFIG={CONFIGURATION}",
        f"Environment=NABD_DATABASE=postgresql://{unit.account.role}@127.0.0.1/nabd",
        f"LoadCredential=NABD_DATABASE_PASSWORD:{SECRETS}/database-{unit.account}",
    ]
    if unit.broker:
        name, port = unit.broker
        found += [
            f"Environment=NABD_BROKER=mqtt://~{name}@127.0.0.1:{port}",
            f"LoadCredential=NABD_BROKER_PASSWORD:{SECRETS}/broker-{name}",
        ]
    return [*found, *(f"LoadCredential={setting_of(name)}:{SECRETS}/{name}" for name in unit.secrets)]


def setting_of(secret: str) -> str:
    """Return the setting that a secret which somebody else gives is read as."""
    return f"NABD_{secret.upper().replace('-', '_')}"
