"""What devices sign in with at the broker: shown without secrets, made anew, taken back.

A password is answered once, and not kept for a repeated request: whoever lost the answer makes another.
Certificates are signed where the authority is, by `nabd device rotate --certificate`.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from api.access import forbidden
from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http.times import Instant
from devices.credentials import issuing, listing
from devices.credentials.credential import CredentialForm, IssuedPassword
from devices.credentials.first_message import first_message
from devices.credentials.issuing import LONGEST_OVERLAP
from devices.credentials.listing import CredentialFilter
from devices.instants import to_datetime
from people.roles import Permission

router = APIRouter(tags=["devices"])

Name = Annotated[str, Path(max_length=64)]
MOST_HOURS = LONGEST_OVERLAP // timedelta(hours=1)


class RotationIn(BaseModel):
    """How long what the device has works besides."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: int = Field(
        default=0, ge=0, le=MOST_HOURS, description="0: it ends at once, as it must where it was stolen"
    )
    broker: str | None = Field(
        default=None,
        max_length=260,
        pattern=r"^[A-Za-z0-9.:\[\]-]+$",
        description="HOST or HOST:PORT in the lines; null: the host that was asked, by TLS",
    )


class MissingCredentialsIn(BaseModel):
    """Devices of a municipality that have no credential yet."""

    model_config = ConfigDict(extra="forbid")

    municipality: str = Field(max_length=32, examples=["tripoli"])
    kind: str | None = Field(default=None, max_length=31, examples=["bin"], description="null: all")


class DeviceCredentialOut(BaseModel):
    """What is known of a credential; a password is not."""

    id: int
    form: CredentialForm
    username: str = Field(examples=["bin-0007"])
    works: bool
    made_at: Instant
    author: str = Field(examples=["rima"])
    serial: str | None = Field(description="of a certificate, in hexadecimal digits")
    not_after: Instant | None = Field(description="the end that a certificate names")
    ends_at: Instant | None = Field(description="from when it does not work; null: it is the current one")
    ending: str | None = Field(examples=["rotated"], description="rotated or revoked")


class DeviceCredentialsOut(BaseModel):
    """Of one device, the newest first."""

    items: list[DeviceCredentialOut]


class DevicePasswordOut(BaseModel):
    """A new password; it is shown this once."""

    device: str = Field(examples=["bin-0007"])
    username: str = Field(examples=["bin-0007"])
    password: str
    before_until: Instant | None = Field(description="until when the one before works; null: there was none")


class ConnectOut(BaseModel):
    """How the device says its first word, in lines to copy."""

    code: str = Field(description="what a QR code says: mqtts://USERNAME:PASSWORD@HOST:PORT")
    topic: str = Field(examples=["nabd/v1/tripoli/bin/bin-0007/telemetry"])
    payload: str = Field(examples=['{"fill_pct": 50}'])
    mosquitto_pub: str
    python: str
    arduino: str = Field(description="for an ESP32")
    chirpstack: str = Field(description="makes LoRaWAN hardware known to a ChirpStack")


class NewDevicePasswordOut(DevicePasswordOut):
    """A new password, and what the device does with it."""

    connect: ConnectOut


class DevicePasswordsOut(BaseModel):
    """New passwords, and how many devices are left that have none."""

    items: list[DevicePasswordOut]
    left: int


class RevokedOut(BaseModel):
    """How many credentials were taken back."""

    revoked: int


@router.get("/devices/{device}/credentials", summary="What a device signs in with")
async def list_device_credentials(
    device: Name, context: UsesContext, connection: UsesConnection
) -> DeviceCredentialsOut:
    """Return the credentials of a device, those that ended too; never a password."""
    now = to_datetime(context.now())
    found = await listing.list_credentials(connection, device)
    fields = set(DeviceCredentialOut.model_fields) - {"works"}
    return DeviceCredentialsOut(
        items=[
            DeviceCredentialOut(**{name: getattr(one, name) for name in fields}, works=one.works(now))
            for one in found
        ]
    )


@router.post("/devices/{device}/credentials", status_code=201, summary="Give a device a new password")
async def rotate_device_password(
    device: Name,
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    body: RotationIn,
) -> NewDevicePasswordOut:
    """Return a new password, the first or in place of the one before; good within ten seconds."""
    (made,) = await issuing.rotate_passwords(
        connection,
        context.kinds,
        [device],
        overlap=timedelta(hours=body.overlap_hours),
        now=context.now,
        by=actor,
        random=secrets.token_bytes,
    )
    host = body.broker or request.url.hostname or "BROKER"
    lines = first_message(made, context.kinds.get(made.kind), host)
    return NewDevicePasswordOut(**_out(made).model_dump(), connect=ConnectOut(**asdict(lines)))


@router.post("/devices/{device}/credentials/revoke", summary="Take every credential of a device back")
async def revoke_device_credentials(
    device: Name, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> RevokedOut:
    """Take back what a device has; whoever is signed in with it is out within a minute."""
    return RevokedOut(revoked=await issuing.revoke(connection, [device], now=context.now, by=actor))


@router.post("/device-credentials", status_code=201, summary="Give devices without a credential passwords")
async def add_missing_passwords(
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    body: MissingCredentialsIn,
) -> DevicePasswordsOut:
    """Return first passwords of devices in a municipality, at most 5,000 at once.

    Devices whose id has a colon are left: a list of passwords cannot hold them.
    """
    if not identity.may_in(Permission.MANAGE_DEVICES, body.municipality):
        raise forbidden(Permission.MANAGE_DEVICES, "there")
    asked = CredentialFilter(municipality=body.municipality, kind=body.kind, missing=True)
    meant = await listing.devices_meant(connection, asked, list(context.kinds))
    able = await listing.able_to_have_passwords(connection, meant)
    made = await issuing.rotate_passwords(
        connection,
        context.kinds,
        able[: issuing.AT_ONCE],
        now=context.now,
        by=actor,
        random=secrets.token_bytes,
    )
    return DevicePasswordsOut(items=[_out(one) for one in made], left=len(meant) - len(made))


def _out(made: IssuedPassword) -> DevicePasswordOut:
    return DevicePasswordOut(**{name: getattr(made, name) for name in DevicePasswordOut.model_fields})
