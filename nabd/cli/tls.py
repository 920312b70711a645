"""`nabd tls`: the authority of this installation, and the certificates of its server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from devices.credentials.authority import KeyPair, spelt
from devices.instants import to_datetime
from nabd import clock
from nabd.cli import output
from nabd.cli.run import load_settings
from nabd.identity import broker_directory, tls_files
from nabd.identity.tls_files import CertificateFile, CertificateRefused
from nabd.settings import tls_directory

app = typer.Typer(no_args_is_help=True, help="Make and renew certificates for the broker's doors.")

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]
Host = Annotated[
    list[str] | None, typer.Option(help="a name or address of the broker, as often as there are any")
]


@app.command()
def init(
    host: Host = None,
    name: Annotated[str, typer.Option(help="what the authority is called in its certificate")] = "Nabd",
    authority: Annotated[
        Path | None, typer.Option(help="certificate (PEM) of an authority of yours that signs instead")
    ] = None,
    authority_key: Annotated[Path | None, typer.Option(help="its private key (PEM), not encrypted")] = None,
    as_json: Json = False,
) -> None:
    """Make an authority, a certificate of the broker and an empty list of revocations, in NABD_TLS_DIR.

    Devices are given authority.pem, and trust what it signs. authority.key signs: keep a copy of it in a safe
    place, and let nobody else read it.
    """
    if (authority is None) != (authority_key is None):
        raise typer.BadParameter("--authority and --authority-key come together")

    def work(directory: Path, now: datetime) -> None:
        given = None
        if authority is not None and authority_key is not None:
            given = KeyPair(certificate=_bytes(authority), key=_bytes(authority_key))
        tls_files.init(directory, host or [], now, name=name, given=given)

    _show(_done(work), as_json=as_json)


@app.command()
def renew(host: Host = None, as_json: Json = False) -> None:
    """Sign the broker's certificate anew; without --host for the names that it has.

    `nabd sweep` does so by itself thirty days before the end, and the broker takes it without a restart.
    """
    _show(_done(lambda directory, now: tls_files.renew(directory, now, hosts=host or ())), as_json=as_json)


@app.command()
def show(as_json: Json = False) -> None:
    """Show what certificates there are, and until when they are good."""
    _show(_done(lambda directory, now: None), as_json=as_json)


def _done(work: Callable[[Path, datetime], None]) -> list[CertificateFile]:
    settings = load_settings()
    directory = tls_directory(settings)
    now, _ = clock.parse(settings.clock)
    try:
        work(directory, to_datetime(now()))
        if settings.broker_files is not None:
            broker_directory.put(settings.broker_files, broker_directory.tls_contents(directory))
        return tls_files.files(directory)
    except CertificateRefused as error:
        output.fail(str(error))
    except OSError as error:
        output.fail(f"{directory} cannot be written ({error.strerror}): NABD_TLS_DIR names another directory")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CertificateRefused(f"{file} cannot be read: {error.strerror}") from error


def _show(found: list[CertificateFile], *, as_json: bool) -> None:
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [(one.file, one.subject, one.ends, "this authority" if one.own else "elsewhere") for one in found]
    columns = ("file", "for", "good until", "signed by")
    output.table(columns, rows, empty="There are no certificates: `nabd tls init --host NAME` makes them.")
    for one in found:
        if one.file == tls_files.AUTHORITY and one.fingerprint:
            output.line(
                f"authority's SHA-256 fingerprint, as /trust shows it to phones: {spelt(one.fingerprint)}"
            )
