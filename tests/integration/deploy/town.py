"""Devices of a small town at the deployed broker, with credentials that Nabd made."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import asyncpg
import pytest
from cryptography import x509

from devices.credentials import authority, issuing
from devices.credentials.credential import IssuedCertificate
from nabd import clock
from nabd.embedded.broker import HOST
from nabd.identity import broker_directory, tls_files
from nabd.identity.follower import CredentialWatch
from store.audit import PLATFORM
from tests.integration.deploy.deployed import DeployedBroker
from tests.integration.devices.town import KINDS

REFUSED_S = 4.0
"""With TLS 1.3 a client learns late, and some never, that its certificate is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A broker, what follows the database, and a connection to it."""

    broker: DeployedBroker
    connection: asyncpg.Connection
    follower: CredentialWatch

    async def password(self, name: str, *, overlap: timedelta = timedelta(0)) -> str:
        made = await issuing.rotate_passwords(
            self.connection,
            KINDS,
            [name],
            overlap=overlap,
            now=clock.wall,
            by=PLATFORM,
            random=secrets.token_bytes,
        )
        return made[0].password

    async def certificate(self, name: str, *, overlap: timedelta = timedelta(0)) -> tuple[Path, Path]:
        now = datetime.now(UTC)
        pair = authority.for_device(tls_files.signer(self.broker.tls, now), name, now)
        found = x509.load_pem_x509_certificate(pair.certificate)
        made = IssuedCertificate(
            device=name,
            username=name,
            serial=authority.serial_of(found),
            fingerprint=authority.fingerprint_of(found),
            not_after=found.not_valid_after_utc,
        )
        await issuing.add_certificates(
            self.connection, KINDS, [made], overlap=overlap, now=clock.wall, by=PLATFORM
        )
        files = (self.broker.tls / f"{made.serial}.pem", self.broker.tls / f"{made.serial}.key")
        for file, content in zip(files, (pair.certificate, pair.key), strict=True):
            file.write_bytes(content)
        return files

    def by_password(
        self, name: str, password: str, door: str = "secure", *, will: aiomqtt.Will | None = None
    ) -> aiomqtt.Client:
        return aiomqtt.Client(
            HOST,
            self.broker.ports[door],
            username=name,
            password=password,
            tls_context=self.broker.trusting() if door != "devices" else None,
            will=will,
            timeout=REFUSED_S,
        )

    def by_certificate(
        self, files: tuple[Path, Path], *, will: aiomqtt.Will | None = None, claims: str | None = None
    ) -> aiomqtt.Client:
        """Return a device with a certificate; `claims`: what it says that it is besides."""
        return aiomqtt.Client(
            HOST,
            self.broker.ports["certified"],
            username=claims,
            identifier=claims or "any",
            tls_context=self.broker.trusting(certificate=files[0], key=files[1]),
            will=will,
            timeout=REFUSED_S,
        )

    async def told(self) -> None:
        """Wait until the broker goes by what the database says now."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            await self.follower.follow()
            said = broker_directory.applied(self.broker.incoming)
            wanted = {name: broker_directory.digest(text) for name, text in self.follower.wanted.items()}
            if {name: one.digest for name, one in said.items()} == wanted:
                await asyncio.sleep(0.3)  # mosquitto acts on a signal in its next round, at most 100 ms away
                return
            await asyncio.sleep(0.1)
        pytest.fail(f"the broker has not taken it: {self.broker.log}")


async def is_let_in(device: aiomqtt.Client) -> bool:
    """Tell whether the broker lets somebody in and answers them."""
    try:
        async with device:
            await device.publish("nabd/v1/tripoli/bin/BIN-0/telemetry", b"let in", qos=1)
    except aiomqtt.MqttError:
        return False
    finally:
        raw = device._client.socket()
        if raw is not None:  # paho keeps that of a connection that was never answered
            device._client._sock_close()
    return True
