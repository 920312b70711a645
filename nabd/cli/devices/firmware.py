"""`nabd firmware`: keys, and signed images of devices' software."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from devices.firmware import images
from devices.firmware.image import FirmwareImage, ImageFacts, facts_of, public_of, sign
from devices.firmware.image_files import ImageDirectory
from devices.registry.errors import Invalid
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.settings import firmware_directory

app = typer.Typer(no_args_is_help=True, help="Firmware of devices: keys, and images that are signed by one.")

Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]
Image = Annotated[Path, typer.Argument(help="the image")]
Kind = Annotated[str, typer.Option(help="devices of this kind")]
Version = Annotated[str, typer.Option(help="such as 2.5.0")]
Key = Annotated[Path, typer.Option(help="the private key, as `nabd firmware key` writes it")]


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="where the private key is to lie; it must not be there yet")],
    as_json: Json = False,
) -> None:
    """Make a key that signs images; devices are built with its public half, which is printed."""
    made = Ed25519PrivateKey.generate()
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(pem)
    except FileExistsError:
        output.fail(f"{file} is there already; a key is never overwritten: name another file")
    except OSError as error:
        output.fail(f"{file}: {error.strerror}")
    if as_json:
        output.print_json({"file": str(file), "public_key": public_of(made)})
        return
    output.line(f"The private key is in {file}: keep it away from this machine, and a copy of it.")
    output.line(f"public key  {public_of(made)}")


@app.command("sign")
def sign_(file: Image, kind: Kind, version: Version, key: Key, as_json: Json = False) -> None:
    """Sign an image where the key is, without a database; `nabd firmware add` takes what is printed."""
    _, facts = _read(file, kind, version)
    signing = _key(key)
    signature, public_key = sign(facts, signing), public_of(signing)
    if as_json:
        output.print_json(
            {"kind": kind, "version": version, "size": facts.size, "sha256": facts.sha256}
            | {"signature": signature, "public_key": public_key}
        )
        return
    output.line(f"--signature {signature} --public-key {public_key}")


@app.command()
def add(
    file: Image,
    kind: Kind,
    version: Version,
    key: Annotated[Path | None, typer.Option(help="the private key, where it is on this machine")] = None,
    signature: Annotated[str, typer.Option(help="as `nabd firmware sign` prints it")] = "",
    public_key: Annotated[str, typer.Option(help="as `nabd firmware sign` prints it")] = "",
    note: Annotated[str, typer.Option(help="what is new in it")] = "",
    as_json: Json = False,
) -> None:
    """Keep a signed image, so that a rollout can bring it to devices; with --key it is signed first."""
    if (key is None) == (not signature or not public_key) or (key and (signature or public_key)):
        raise typer.BadParameter("give --signature and --public-key, or --key alone")
    content, facts = _read(file, kind, version)
    if key is not None:
        signing = _key(key)
        signature, public_key = sign(facts, signing), public_of(signing)

    async def work(opened: OpenDatabase) -> FirmwareImage:
        by = await opened.actor()
        async with opened.connection.transaction():
            added = await images.add_image(
                opened.connection,
                opened.kinds,
                facts,
                signature=signature,
                public_key=public_key,
                note=note,
                now=opened.now,
                by=by,
            )
            files = ImageDirectory(firmware_directory(opened.settings))
            try:
                files.write(facts.sha256, content)
            except OSError as error:
                output.fail(f"{files.root}: {error.strerror}; see NABD_FIRMWARE_DIR")
        return added

    added = run(work)
    if as_json:
        output.print_json(_as_document(added))
    else:
        output.line(f"{added.kind} {added.version} is kept: {added.size:,} bytes, SHA-256 {added.sha256}.")
        output.line(
            f"`nabd rollout start --kind {added.kind} --version {added.version}` brings it to devices."
        )


def _read(file: Path, kind: str, version: str) -> tuple[bytes, ImageFacts]:
    try:
        content = file.read_bytes()
        return content, facts_of(content, kind, version)
    except OSError as error:
        output.fail(f"{file}: {error.strerror}")
    except Invalid as error:
        output.fail(str(error))


def _key(file: Path) -> Ed25519PrivateKey:
    try:
        found = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        output.fail(f"{file}: {error.strerror}")
    except (ValueError, TypeError, UnsupportedAlgorithm):
        output.fail(f"{file} holds no private key as `nabd firmware key` writes it")
    if not isinstance(found, Ed25519PrivateKey):
        output.fail(f"{file} holds a key of another kind than Ed25519; `nabd firmware key` makes one")
    return found


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Option(help="only of this kind")] = None, as_json: Json = False
) -> None:
    """Show the images that are kept, the last added first."""

    async def work(opened: OpenDatabase) -> list[FirmwareImage]:
        return await images.list_images(opened.connection, kind)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(_as_document(one))
        return
    rows = [(i.kind, i.version, i.size, i.added_at, i.added_by, i.note) for i in found]
    columns = ("kind", "version", "bytes", "added", "by", "note")
    output.table(columns, rows, empty="No image yet. `nabd firmware add --help` says how.")


@app.command()
def remove(kind: Kind, version: Version, as_json: Json = False) -> None:
    """Take away an image that no rollout has used."""

    async def work(opened: OpenDatabase) -> str:
        by = await opened.actor()
        sha256 = await images.remove_image(opened.connection, kind, version, opened.now, by=by)
        ImageDirectory(firmware_directory(opened.settings)).remove(sha256)
        return sha256

    sha256 = run(work)
    if as_json:
        output.print_json({"kind": kind, "version": version, "sha256": sha256})
    else:
        output.line(f"{kind} {version} is gone.")


def _as_document(image: FirmwareImage) -> dict[str, Any]:
    return {field.name: getattr(image, field.name) for field in fields(image)}
