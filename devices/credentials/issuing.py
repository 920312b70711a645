"""Credentials of devices: made, rotated and revoked, each change with its line in the audit.

A password is returned once and kept as a hash; of a certificate, its numbers. Randomness and the clock are
arguments. Must not know HTTP, MQTT or files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from devices.credentials.credential import CredentialForm, IssuedCertificate, IssuedPassword
from devices.credentials.scheme import Random, hashed, new_password
from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.wire.topics import GATEWAY
from store import audit
from store.audit import Actor, AuditedChange
from store.connection import Connection

LONGEST_OVERLAP = timedelta(days=90)
AT_ONCE = 5_000
"""How many devices one change covers: their rows are one transaction."""

_LOCK = "SELECT FROM device WHERE name = ANY($1) ORDER BY id FOR NO KEY UPDATE"


async def rotate_passwords(
    connection: Connection,
    kinds: Kinds,
    names: Sequence[str],
    *,
    overlap: timedelta = timedelta(0),
    now: Now,
    by: Actor,
    random: Random,
) -> list[IssuedPassword]:
    """Give devices new passwords, first or in place of those they have, which work for `overlap` longer.

    All of them or none.

    Raises:
        NotFound: no device has one of the names.
        Conflict: one is retired.
        Invalid: one cannot have a password, or the overlap is out of bounds.
    """
    _check_overlap(overlap)
    moment = to_datetime(now())
    made: list[IssuedPassword] = []
    async with connection.transaction():
        devices = await _locked(connection, kinds, names)
        for device in devices:
            if ":" in device.wire:
                raise Invalid(
                    "device",
                    f"{device.wire!r} has a colon, which the broker's list of passwords cannot hold: give it"
                    f" a certificate with `nabd device rotate {device.name} --certificate`",
                )
        passwords = [new_password(random) for _ in devices]
        hashes = [hashed(password, random) for password in passwords]
        before = await _end_current(
            connection, devices, CredentialForm.PASSWORD, moment, moment + overlap, "rotated"
        )
        await connection.execute(
            _INSERT,
            [device.id for device in devices],
            CredentialForm.PASSWORD,
            [device.wire for device in devices],
            hashes,
            [None] * len(devices),
            [None] * len(devices),
            [None] * len(devices),
            moment,
            by.principal,
        )
        made = [
            IssuedPassword(
                device=device.name,
                title=device.title,
                titles=device.titles,
                municipality=device.municipality,
                kind=device.kind,
                username=device.wire,
                password=password,
                before_until=before.get(device.id),
            )
            for device, password in zip(devices, passwords, strict=True)
        ]
        changes = [
            _change(device, CredentialForm.PASSWORD, before.get(device.id), moment) for device in devices
        ]
        await audit.record_many(connection, changes, by=by, now=now())
    return made


_INSERT = """
INSERT INTO device_credential (
    device_id, form, username, password_hash, serial, fingerprint, not_after, made_at, author_id
)
SELECT n.device_id, $2, n.username, n.password_hash, n.serial, n.fingerprint, n.not_after, $8, $9
FROM unnest($1::integer [], $3::text [], $4::text [], $5::text [], $6::text [], $7::timestamptz [])
    AS n (device_id, username, password_hash, serial, fingerprint, not_after)
"""


async def add_certificates(
    connection: Connection,
    kinds: Kinds,
    made: Sequence[IssuedCertificate],
    *,
    overlap: timedelta = timedelta(0),
    now: Now,
    by: Actor,
) -> None:
    """Let devices sign in with certificates; those they had work for `overlap` longer. All of them or none.

    Raises:
        NotFound: no device has one of the names.
        Conflict: one is retired, or calls itself otherwise than its certificate by now.
        Invalid: one has no voice of its own, or the overlap is out of bounds.
    """
    _check_overlap(overlap)
    moment = to_datetime(now())
    of_device = {one.device: one for one in made}
    async with connection.transaction():
        devices = await _locked(connection, kinds, list(of_device))
        ordered = [of_device[device.name] for device in devices]
        for device, one in zip(devices, ordered, strict=True):
            if device.wire != one.username:
                raise Conflict(f"{device.name} calls itself {device.wire} by now; sign its certificate again")
        before = await _end_current(
            connection, devices, CredentialForm.CERTIFICATE, moment, moment + overlap, "rotated"
        )
        await connection.execute(
            _INSERT,
            [device.id for device in devices],
            CredentialForm.CERTIFICATE,
            [one.username for one in ordered],
            [None] * len(devices),
            [one.serial for one in ordered],
            [one.fingerprint for one in ordered],
            [one.not_after for one in ordered],
            moment,
            by.principal,
        )
        changes = [
            _change(device, CredentialForm.CERTIFICATE, before.get(device.id), moment, serial=one.serial)
            for device, one in zip(devices, ordered, strict=True)
        ]
        await audit.record_many(connection, changes, by=by, now=now())


_REVOKE = """
UPDATE device_credential SET ends_at = $2, ending = 'revoked'
FROM device
WHERE
    device_credential.device_id = device.id AND device.name = ANY($1)
    AND (device_credential.ends_at IS NULL OR device_credential.ends_at > $2)
RETURNING device.name AS device, device.municipality_id, device_credential.form
"""


async def revoke(connection: Connection, names: Sequence[str], *, now: Now, by: Actor) -> int:
    """Take every credential of devices back, those of an overlap too; return how many. All of them or none.

    The broker ends what is signed in with them within a minute.

    Raises:
        NotFound: no device has one of the names.
        Conflict: none of them has any.
    """
    moment = to_datetime(now())
    async with connection.transaction():
        await connection.execute(_LOCK, list(names))
        await _found(connection, names)
        rows = await connection.fetch(_REVOKE, list(names), moment)
        if not rows:
            whose = names[0] if len(names) == 1 else "none of these devices"
            raise Conflict(f"{whose} has no credential that works; `nabd device credentials` lists them")
        changes = [
            AuditedChange(
                municipality=row["municipality_id"],
                action="device.revoke",
                subject=row["device"],
                before={"form": row["form"], "ending": None},
                after={"form": row["form"], "ending": "revoked"},
            )
            for row in rows
        ]
        await audit.record_many(connection, changes, by=by, now=now())
    return len(rows)


_END = """
UPDATE device_credential SET
    ends_at = CASE WHEN ends_at IS NULL OR ends_at > $4 THEN $4 ELSE ends_at END,
    ending = coalesce(ending, $5)
WHERE device_id = ANY($1) AND form = $2 AND (ends_at IS NULL OR ends_at > $3)
RETURNING device_id, ends_at
"""


async def _end_current(
    connection: Connection,
    devices: Sequence[_Speaker],
    form: CredentialForm,
    moment: datetime,
    until: datetime,
    ending: str,
) -> dict[int, datetime]:
    """End what works now; return until when the last of each device works."""
    ids = [device.id for device in devices]
    rows = await connection.fetch(_END, ids, form, moment, until, ending)
    return {row["device_id"]: row["ends_at"] for row in sorted(rows, key=lambda row: row["ends_at"])}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speaker:
    """A device, as far as its credentials are concerned."""

    id: int
    name: str
    title: str
    titles: Mapping[str, str]
    kind: str
    municipality: str
    municipality_id: int
    wire: str
    retired: bool


_SPEAKERS = """
SELECT
    device.id, asked.name, device.title, device.titles, device.kind, municipality.name AS municipality,
    device.municipality_id, coalesce(h.wire_name, device.name) AS wire,
    device.retired_at IS NOT NULL AS retired
FROM unnest($1::text []) AS asked (name)
LEFT JOIN device ON asked.name = device.name
LEFT JOIN municipality ON device.municipality_id = municipality.id
LEFT JOIN hardware AS h ON device.id = h.device_id AND h.removed_at IS NULL
ORDER BY device.id NULLS FIRST
"""


async def _found(connection: Connection, names: Sequence[str]) -> list[_Speaker]:
    rows = await connection.fetch(_SPEAKERS, list(dict.fromkeys(names)))
    if rows and rows[0]["id"] is None:
        raise NotFound("device", rows[0]["name"], "`nabd device list` shows them")
    return [_Speaker(**row) for row in rows]


async def _locked(connection: Connection, kinds: Kinds, names: Sequence[str]) -> list[_Speaker]:
    """Return devices that may sign in, locked until the transaction ends."""
    await connection.execute(_LOCK, list(names))
    devices = await _found(connection, names)
    for device in devices:
        if device.retired:
            fix = f"`nabd device edit {device.name} --reinstate` puts it back"
            raise Conflict(f"device {device.name!r} is retired; {fix}")
        if device.kind != GATEWAY and device.kind not in kinds:
            raise Invalid("device", f"{device.name!r} is a {device.kind}, which has no voice of its own")
    return devices


def _check_overlap(overlap: timedelta) -> None:
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("overlap", f"0 to {LONGEST_OVERLAP.days} days")


def _change(
    device: _Speaker,
    form: CredentialForm,
    before_until: datetime | None,
    moment: datetime,
    serial: str | None = None,
) -> AuditedChange:
    after = {"form": form, "made_at": moment, "serial": serial, "before_until": before_until}
    return AuditedChange(
        municipality=device.municipality_id,
        action="device.rotate",
        subject=device.name,
        before={"form": form if before_until else None},
        after=after,
    )
