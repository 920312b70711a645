"""Credentials of devices: made, rotated with an overlap, revoked; and what the broker is to know of them."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from devices.credentials import broker_files, issuing, listing, refusals, scheme
from devices.credentials.credential import CredentialForm, IssuedCertificate
from devices.credentials.listing import CredentialFilter
from devices.instants import to_datetime
from devices.registry.editing import reinstate, retire_device
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.hardware import replace_hardware
from devices.registry.registration import NewDevice, add_device
from store.audit import PLATFORM
from tests.integration.devices.town import KINDS, SECOND, START, add_bin, add_town, now

HOUR = 3600 * SECOND


def at(hours: float) -> int:
    return START + int(hours * HOUR)


async def rotate(
    connection: asyncpg.Connection, *names: str, hours: float = 0, overlap: float = 0
) -> dict[str, str]:
    made = await issuing.rotate_passwords(
        connection,
        KINDS,
        names,
        overlap=timedelta(hours=overlap),
        now=lambda: at(hours),
        by=PLATFORM,
        random=secrets.token_bytes,
    )
    return {one.device: one.password for one in made}


def certificate(device: str, serial: str) -> IssuedCertificate:
    return IssuedCertificate(
        device=device,
        username=device,
        serial=serial,
        fingerprint=serial * 2,
        not_after=to_datetime(at(24 * 365)),
    )


async def lists(
    connection: asyncpg.Connection, hours: float
) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """Return what the broker is to know at an hour: passwords, newest passwords, revoked serials."""
    found = await broker_files.broker_lists(connection, to_datetime(at(hours)))
    first, newest = (
        dict(line.split(":", 1) for line in text.decode().splitlines()[1:])
        for text in (found.passwords, found.next)
    )
    return first, newest, {one.serial for one in found.revoked}


async def test_rotated_password_works_at_once_and_the_one_before_until_the_overlap_ends(
    connection: asyncpg.Connection,
) -> None:
    await add_town(connection)
    for name in ("BIN-1", "BIN-2"):
        await add_bin(connection, name)
    old = await rotate(connection, "BIN-1", "BIN-2")
    new = await rotate(connection, "BIN-1", hours=1, overlap=2)

    first, newest, _ = await lists(connection, 2)
    assert scheme.verify(old["BIN-1"], first["BIN-1"])
    assert scheme.verify(new["BIN-1"], newest["BIN-1"])
    assert scheme.verify(old["BIN-2"], first["BIN-2"])
    assert first["BIN-2"] == newest["BIN-2"]
    first, newest, _ = await lists(connection, 3)
    assert scheme.verify(new["BIN-1"], first["BIN-1"])
    assert (await broker_files.broker_lists(connection, to_datetime(at(2)))).due == to_datetime(at(3))

    kept = await listing.list_credentials(connection, "BIN-1")
    assert [(one.ending, one.works(to_datetime(at(2)))) for one in kept] == [(None, True), ("rotated", True)]
    audited = await connection.fetch(
        "SELECT action, subject, after FROM audit WHERE action = 'device.rotate'"
    )
    assert [row["subject"] for row in audited] == ["BIN-1", "BIN-2", "BIN-1"]
    everything = str([dict(row) for row in audited]) + str(
        await connection.fetch("SELECT * FROM device_credential")
    )
    assert not any(password in everything for password in (*old.values(), *new.values()))


async def test_retired_replaced_and_revoked_devices_are_not_let_in(connection: asyncpg.Connection) -> None:
    await add_town(connection)
    names = ("BIN-1", "BIN-2", "BIN-3", "BIN-4")
    for name in names:
        await add_bin(connection, name)
    await rotate(connection, *names)
    await issuing.add_certificates(
        connection,
        KINDS,
        [certificate(name, str(number)) for number, name in enumerate(names, 1)],
        now=now,
        by=PLATFORM,
    )
    before = await broker_files.stamp(connection)
    await retire_device(connection, "BIN-1", "stolen", lambda: at(1), by=PLATFORM)
    await replace_hardware(connection, "BIN-2", "SN-2", wire_name="NEW-2", now=lambda: at(1), by=PLATFORM)
    assert await issuing.revoke(connection, ["BIN-3"], now=lambda: at(1), by=PLATFORM) == 2
    assert await broker_files.stamp(connection) != before

    passwords, _, revoked = await lists(connection, 1)
    assert passwords.keys() == {"BIN-4"}
    assert revoked == {"1", "2", "3"}
    hour = to_datetime(at(1))
    assert await broker_files.to_disconnect(connection, ["1", "2"], hour) == ["BIN-1", "BIN-2"]
    refused = ["1", "2", "3"]
    assert await broker_files.to_disconnect(connection, refused, hour) == ["BIN-1", "BIN-2", "BIN-3"]
    await broker_files.disconnected(connection, ["BIN-1", "BIN-2", "BIN-3"], hour)
    assert await broker_files.to_disconnect(connection, refused, to_datetime(at(2))) == []

    await reinstate(connection, "BIN-1", lambda: at(3), by=PLATFORM)
    passwords, _, revoked = await lists(connection, 3)
    assert passwords.keys() == {"BIN-1", "BIN-4"}
    assert revoked == {"2", "3"}
    with pytest.raises(Conflict, match="no credential that works"):
        await issuing.revoke(connection, ["BIN-3"], now=lambda: at(4), by=PLATFORM)


async def test_what_cannot_sign_in_is_refused_and_nothing_is_half_made(
    connection: asyncpg.Connection,
) -> None:
    await add_town(connection)
    await add_bin(connection, "BIN-1")
    await add_bin(connection, "urn:dev:1")
    circuit = NewDevice(name="CIR-1", kind="circuit", municipality="tripoli")
    await add_device(connection, KINDS, circuit, now, by=PLATFORM)
    await add_bin(connection, "BIN-9")
    await retire_device(connection, "BIN-9", "stolen", now, by=PLATFORM)

    for name, why, text in (
        ("urn:dev:1", Invalid, "--certificate"),
        ("CIR-1", Invalid, "no voice of its own"),
        ("BIN-9", Conflict, "--reinstate"),
        ("BIN-7", NotFound, "BIN-7"),
    ):
        with pytest.raises(why, match=text):
            await rotate(connection, "BIN-1", name)
    with pytest.raises(Invalid, match="90 days"):
        await rotate(connection, "BIN-1", overlap=24 * 91)
    with pytest.raises(NotFound):
        await issuing.revoke(connection, ["BIN-1", "BIN-7"], now=now, by=PLATFORM)
    other = replace(certificate("BIN-1", "1"), username="BIN-0")
    with pytest.raises(Conflict, match="calls itself BIN-1"):
        await issuing.add_certificates(connection, KINDS, [other], now=now, by=PLATFORM)

    assert await listing.credentials_of(connection, ["BIN-1"]) == []
    meant = await listing.devices_meant(connection, CredentialFilter(missing=True), KINDS)
    assert meant == ["BIN-1", "urn:dev:1"]
    await issuing.add_certificates(connection, KINDS, [certificate("urn:dev:1", "a1")], now=now, by=PLATFORM)
    assert await listing.devices_meant(connection, CredentialFilter(missing=True), KINDS) == ["BIN-1"]
    (kept,) = await listing.list_credentials(connection, "urn:dev:1")
    assert (kept.form, kept.serial) == (CredentialForm.CERTIFICATE, "a1")


async def test_session_ends_once_for_each_certificate_and_not_after_an_overlap(
    connection: asyncpg.Connection,
) -> None:
    await add_town(connection)
    for name in ("BIN-1", "BIN-2"):
        await add_bin(connection, name)

    async def sign(name: str, serial: str, hours: float, *, lasts: float = 1000, overlap: float = 0) -> None:
        one = replace(certificate(name, serial), not_after=to_datetime(at(hours + lasts)))
        lasting = timedelta(hours=overlap)
        await issuing.add_certificates(
            connection, KINDS, [one], overlap=lasting, now=lambda: at(hours), by=PLATFORM
        )

    async def ended(hours: float) -> list[str]:
        """Return whose session ends at an hour, and note that it has."""
        moment = to_datetime(at(hours))
        _, _, revoked = await lists(connection, hours)
        names = await broker_files.to_disconnect(connection, sorted(revoked), moment)
        await broker_files.disconnected(connection, names, moment)
        return names

    await sign("BIN-1", "1a", 0, lasts=40)
    await sign("BIN-1", "1b", 1, overlap=10)
    await sign("BIN-2", "2a", 0, lasts=40)
    assert await ended(2) == []
    await sign("BIN-2", "2b", 3)  # without an overlap: it may be stolen
    assert await ended(4) == ["BIN-2"]
    assert await ended(12) == [], "the overlap of BIN-1 is over, and it has come in by the newer one"
    assert await ended(50) == [], "the first ones would have ended now by themselves"
    await sign("BIN-1", "1c", 51, overlap=10)
    await sign("BIN-1", "1d", 52)
    assert await ended(53) == ["BIN-1"], "the one before went at once"
    assert await issuing.revoke(connection, ["BIN-1"], now=lambda: at(54), by=PLATFORM) == 1
    assert await ended(55) == ["BIN-1"]
    assert await ended(2000) == ["BIN-2"], "its certificate has come to its end"
    assert await ended(2001) == []


async def test_a_stranger_chooses_so_many_client_ids_a_minute(connection: asyncpg.Connection) -> None:
    minute = to_datetime(START)
    most = refusals.MOST_A_MINUTE
    await refusals.add(connection, {("10.0.0.7", "BIN-1"): 3}, minute)
    for flush in range(3):
        many = {("10.0.0.9", f"{flush}-{number}"): 1 for number in range(most)}
        await refusals.add(connection, {**many, ("10.0.0.7", "BIN-1"): 3}, minute + timedelta(seconds=flush))
    rows = {
        (row["address"], row["client"]): row["count"]
        for row in await connection.fetch("SELECT address, client, count FROM refused_sign_in")
    }

    assert len(rows) == most + 1
    assert rows["10.0.0.7", "BIN-1"] == 12
    assert rows["", ""] == 2 * most + 1
    assert (await refusals.recent(connection, minute)).count == 3 * most + 12
