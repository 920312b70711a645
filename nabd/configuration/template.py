"""The configuration file as text: what was answered, and every other setting with its default, commented out.

One format for all who read it: Docker Compose (as .env), `nabd` and what systemd starts. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from pydantic_settings import BaseSettings

from nabd.configuration.answers import SetupAnswers
from nabd.configuration.secrets import GIVEN

LINE = 118


class Layout(StrEnum):
    """How processes are started: by Docker Compose from a checkout, or by systemd."""

    COMPOSE = "compose"
    SYSTEMD = "systemd"


_HEADING = """\
# Settings of Nabd, written by `nabd init`: for `nabd` itself, Docker Compose and what systemd starts.
# What is commented out is at its default. `nabd config show --origin` says what counts, and who said it.
# Passwords and tokens are not here: each is a file in `secrets` beside this one.
"""
_PUBLISHED = """\

# Where ports are open: ADDRESS:PORT on the host. 0.0.0.0 is every address of the machine.
HTTPS_ADDRESS={address}:443
HTTP_ADDRESS={address}:80
MQTTS_ADDRESS={address}:8883
# Devices with certificates, and devices with the newer of two passwords while they change.
MQTTS_CERTIFIED_ADDRESS={address}:8884
MQTTS_NEXT_ADDRESS={address}:8885
#GRAFANA_ADDRESS=127.0.0.1:3000
# Proxies whose word on the caller's address and on https is taken; a network of the containers.
#FORWARDED_ALLOW_IPS=172.30.80.0/24
"""
_HTTPS = """\

# Certificates of HTTPS: files (server.pem and server.key of `nabd tls init`, or your own), or acme
# (Let's Encrypt, where the domain is known to the world and port 80 is open).
NABD_HTTPS=files
NABD_DOMAIN={domain}
"""
_SYSTEMD: Mapping[str, str] = {
    "NABD_DATABASE": "postgresql://nabd_api@127.0.0.1/nabd",
    "NABD_DATABASE_PASSWORD_FILE": "{secrets}/database-api",
    "NABD_BROKER": "mqtt://~api@127.0.0.1:1884",
    "NABD_BROKER_PASSWORD_FILE": "{secrets}/broker-api",
    "NABD_DATA_DIR": "/var/lib/nabd",
    "NABD_BROKER_FILES": "/var/lib/nabd/broker-files",
    "NABD_HTTP_TOKEN_ALWAYS": "true",
}
_COMPOSE_SAYS = frozenset(
    f"NABD_{name}"
    for name in ("DATABASE", "BROKER", "DATA_DIR", "TLS_DIR", "BROKER_FILES", "HTTP_HOST", "HTTP_PORT")
)
"""Of each process by docker-compose.yml: it would have no effect in the file."""
_FROM_FILES = {name.upper().replace("-", "_") for name in GIVEN}


def configuration(
    answers: SetupAnswers | None, layout: Layout, settings: type[BaseSettings], *, secrets: str = "secrets"
) -> str:
    """Return the text of the file; without answers an example of it, in which nothing is said."""
    said = dict(_said(answers, layout, secrets)) if answers else {}
    text = _HEADING
    if layout is Layout.COMPOSE:
        local = answers is None or answers.domain == "localhost"
        address = "127.0.0.1" if local else "0.0.0.0"  # noqa: S104 - people and devices are to reach it
        text += _PUBLISHED.format(address=address)
    text += _HTTPS.format(domain="localhost" if answers is None else answers.domain)
    if said:
        text += "\n# What was answered.\n" + "".join(f"{name}={value}\n" for name, value in said.items())
    text += "\n# Everything else.\n"
    for field, declared in settings.model_fields.items():
        name = f"NABD_{field.upper()}"
        elsewhere = _is_elsewhere(name) or (layout is Layout.COMPOSE and name in _COMPOSE_SAYS)
        if name not in said and not elsewhere:
            text += f"# {declared.description}\n#{name}={_text(declared.default)}\n"
    return text


def _said(answers: SetupAnswers, layout: Layout, secrets: str) -> Iterator[tuple[str, str]]:
    yield "NABD_TOWN", answers.town
    yield "NABD_LANGUAGE", answers.language
    yield "NABD_TIME_ZONE", answers.time_zone
    yield "NABD_PUBLIC_URL", answers.public_url
    if answers.mail:
        yield "NABD_EMAIL_FROM", answers.mail_from
    if layout is Layout.SYSTEMD:
        for name, value in _SYSTEMD.items():
            yield name, value.format(secrets=secrets)


def _is_elsewhere(name: str) -> bool:
    """Tell whether a setting is no matter of this file: the demo's clock, passwords, secrets in files."""
    return name in ("NABD_CLOCK", "NABD_DATABASE_PASSWORD", "NABD_BROKER_PASSWORD") or (
        name.removeprefix("NABD_") in _FROM_FILES
    )


def _text(default: Any) -> str:
    if default in (None, "", {}, []):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return json.dumps(default) if isinstance(default, dict | list) else str(default)
