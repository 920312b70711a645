"""`nabd device credentials`, `rotate` and `revoke`: what devices sign in with at the broker.

No secret is taken from or put on a command line: new ones are made here, and told once.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from devices.credentials import issuing, listing
from devices.credentials.credential import CredentialForm, DeviceCredential, IssuedCertificate, IssuedPassword
from devices.credentials.listing import CredentialFilter
from devices.instants import to_datetime
from devices.registry.errors import Invalid
from devices.texts.languages import Language
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.devices.certificates import sign_certificates
from nabd.identity import handing_over, tls_files
from nabd.identity.tls_files import SERVER, CertificateRefused
from nabd.settings import tls_directory

Names = Annotated[list[str] | None, typer.Argument(help="devices, by name")]
Municipality = Annotated[str | None, typer.Option(help="all of this municipality")]
Kind = Annotated[str | None, typer.Option(help="all of this kind")]
File = Annotated[Path | None, typer.Option(help="a file with a device a line; the rest of a line is ignored")]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]


def credentials(
    devices: Names = None,
    municipality: Municipality = None,
    kind: Kind = None,
    file: File = None,
    as_json: Json = False,
) -> None:
    """Show what devices sign in with, and signed in with before; never a password."""
    asked = _asked(devices, municipality, kind, file)

    async def work(opened: OpenDatabase) -> tuple[list[DeviceCredential], datetime]:
        names = await _meant(opened, asked)
        return await listing.credentials_of(opened.connection, names), to_datetime(opened.now())

    found, now = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    columns = ("device", "form", "user name", "state", "until", "made", "by", "serial")
    rows = [
        (
            c.device,
            c.form,
            c.username,
            _state(c, now),
            c.ends_at or c.not_after,
            c.made_at,
            c.author,
            c.serial,
        )
        for c in found
    ]
    output.table(columns, rows, empty="None of them has any. `nabd device rotate DEVICE` makes a password.")


def _state(one: DeviceCredential, now: datetime) -> str:
    if one.works(now):
        return "works" if one.ends_at is None else "works until then"
    return one.ending or "over"


def rotate(
    devices: Names = None,
    municipality: Municipality = None,
    kind: Kind = None,
    file: File = None,
    missing: Annotated[bool, typer.Option("--missing", help="only those that have none yet")] = False,
    overlap: Annotated[
        str | None, typer.Option(help="how long the one before works besides, such as 7d; else not at all")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="write the new passwords to this file, and not here")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="write a page with a code a device, .html or .pdf, and not here")
    ] = None,
    broker: Annotated[
        str | None, typer.Option(help="HOST or HOST:PORT in the codes; else what the certificate says")
    ] = None,
    lang: Annotated[Language, typer.Option(help="language of the sheet")] = "en",
    certificate: Annotated[
        bool, typer.Option("--certificate", help="certificates signed by our authority instead of passwords")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="directory for certificates and keys")] = None,
    request: Annotated[
        Path | None, typer.Option(help="sign this request (CSR) of one device, whose key stays with it")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="how long a certificate is good")] = 730,
    yes: Annotated[
        bool, typer.Option("--yes", help="do not ask, where what several devices have ends at once")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give devices new passwords or certificates, and tell them once; the ones before end, after the overlap.

    A new password opens port 8885 at once, and port 8883 when the one before has ended.
    """
    asked = _asked(devices, municipality, kind, file, missing=missing)
    if certificate and out is None:
        raise typer.BadParameter("--certificate needs --out, a directory for certificates and keys")
    if not certificate and (out is not None or request is not None):
        raise typer.BadParameter("--out and --request go with --certificate")
    if certificate and (csv is not None or sheet is not None):
        raise typer.BadParameter("--csv and --sheet are for passwords; --certificate writes files to --out")
    for file_given, option in ((csv, "--csv"), (sheet, "--sheet")):
        if file_given is not None and file_given.exists():
            raise typer.BadParameter(
                f"{file_given} is there, perhaps the only copy of passwords: name another, or take it away",
                param_hint=option,
            )
    lasting = values.duration(overlap) if overlap else timedelta()
    if out is not None:
        try:
            out.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise typer.BadParameter(f"{out} cannot be made: {error.strerror}", param_hint="--out") from error

    async def work(opened: OpenDatabase) -> list[IssuedPassword]:
        names = await _meant(opened, asked)
        if not certificate and not _are_named(asked):
            names = await _able(opened, names)
        if not lasting and not yes:
            form = CredentialForm.CERTIFICATE if certificate else CredentialForm.PASSWORD
            await _confirm_ending(opened, names, form)
        if certificate:
            assert out is not None
            signed = await sign_certificates(opened, names, out, request=request, days=days, overlap=lasting)
            _told_certificates(signed, out, as_json=as_json)
            return []
        server = handing_over.with_port(broker or broker_of(opened)) if sheet else ""
        made: list[IssuedPassword] = []
        by = await opened.actor()
        # All of them or none: the files are written before the passwords count.
        async with opened.connection.transaction():
            for start in range(0, len(names), issuing.AT_ONCE):
                made += await issuing.rotate_passwords(
                    opened.connection,
                    opened.kinds,
                    names[start : start + issuing.AT_ONCE],
                    overlap=lasting,
                    now=opened.now,
                    by=by,
                    random=secrets.token_bytes,
                )
            try:
                if csv is not None and made:
                    handing_over.write_list(csv, made)
                if sheet is not None and made:
                    handing_over.write_sheet(sheet, made, server, lang)
            except OSError as error:
                raise Invalid("csv" if csv else "sheet", f"cannot be written: {error}") from error
        return made

    made = run(work, statement_timeout_s=0)
    if not certificate:
        written = [str(one) for one in (csv, sheet) if one is not None and made]
        _told(made, written=written, as_json=as_json)


async def _able(opened: OpenDatabase, names: Sequence[str]) -> list[str]:
    able = await listing.able_to_have_passwords(opened.connection, names)
    if left := len(names) - len(able):
        output.complain(
            f"{left} left out, whose names on the wire have a colon: --certificate --out DIR is for them"
        )
    return able


async def _confirm_ending(opened: OpenDatabase, names: Sequence[str], form: CredentialForm) -> None:
    """Ask where what several devices sign in with ends before they can have the new one."""
    now = to_datetime(opened.now())
    count = await listing.count_working(opened.connection, names, form, now)
    if count > 1:
        typer.confirm(
            f"{count} devices are out until each is given its new {form} (--overlap 7d lets both work)."
            " Go on?",
            abort=True,
            err=True,
        )


def _told(made: Sequence[IssuedPassword], *, written: Sequence[str], as_json: bool) -> None:
    hidden = bool(written)
    if as_json:
        for one in made:
            shown = {name: getattr(one, name) for name in (*handing_over.COLUMNS, "before_until")}
            output.print_json({**shown, "password": None} if hidden else shown)
        return
    if hidden:
        output.line(f"{len(made)} passwords are in {' and '.join(written)}, and nowhere else.")
        return
    columns = ("device", "user name", "password", "the one before works until")
    rows = [(one.device, one.username, one.password, one.before_until) for one in made]
    output.table(columns, rows, empty="No device needs one.")
    if made:
        output.line("Passwords are told this once; the broker goes by them within ten seconds.")


def _told_certificates(signed: Sequence[IssuedCertificate], out: Path, *, as_json: bool) -> None:
    if as_json:
        for one in signed:
            output.print_json(one)
        return
    columns = ("device", "certificate", "serial", "good until")
    rows = [(c.device, str(out / f"{c.device}.pem"), c.serial, c.not_after) for c in signed]
    output.table(columns, rows, empty="No device needs one.")


def revoke(
    devices: Names = None,
    municipality: Municipality = None,
    kind: Kind = None,
    file: File = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask, where more than one is meant")] = False,
    as_json: Json = False,
) -> None:
    """Take every credential of devices back; whoever is signed in with one is out within a minute."""
    asked = _asked(devices, municipality, kind, file)

    async def work(opened: OpenDatabase) -> tuple[list[str], int]:
        names = await _meant(opened, asked)
        if len(names) > 1 and not yes:
            typer.confirm(f"Take the credentials of {len(names)} devices back?", abort=True)
        count = await issuing.revoke(opened.connection, names, now=opened.now, by=await opened.actor())
        return names, count

    names, count = run(work)
    if as_json:
        output.print_json({"devices": names, "revoked": count})
    else:
        output.line(f"{count} credentials are taken back. `nabd device rotate DEVICE` makes new ones.")


def _asked(
    devices: Sequence[str] | None,
    municipality: str | None,
    kind: str | None,
    file: Path | None,
    *,
    missing: bool = False,
) -> CredentialFilter:
    names = list(devices or ())
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{file} cannot be read: {error}") from error
        names += [line.replace(";", ",").split(",")[0].strip() for line in lines if line.strip()]
    if not names and municipality is None and kind is None:
        raise typer.BadParameter("name devices, or --municipality, --kind or --file")
    return CredentialFilter(names=names or None, municipality=municipality, kind=kind, missing=missing)


def _are_named(asked: CredentialFilter) -> bool:
    """Tell whether devices are named and nothing else is said of them."""
    chosen = asked.missing or asked.municipality is not None or asked.kind is not None
    return asked.names is not None and not chosen


async def _meant(opened: OpenDatabase, asked: CredentialFilter) -> list[str]:
    """Return whom the filter means; those named are returned as they are, and refused later if need be."""
    if asked.names is not None and _are_named(asked):
        return list(dict.fromkeys(asked.names))
    return await listing.devices_meant(opened.connection, asked, list(opened.kinds))


def broker_of(opened: OpenDatabase) -> str:
    """Return the host that the broker's certificate names, BROKER where there is none."""
    try:
        found = tls_files.files(tls_directory(opened.settings))
    except CertificateRefused:
        return "BROKER"
    return next((one.subject.split(", ")[0] for one in found if one.file == SERVER), "BROKER")
