"""`nabd work`: steps of an order, said for whoever it was given to; comments and photos."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from devices.registry.errors import Invalid
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json
from nabd.cli.work.shown import At, Number, Reason, print_order, read_order, step_of
from nabd.settings import photo_directory
from work import photos, picture, steps
from work.change import WorkStep
from work.checklists import check_answers, checklist_of
from work.order import WorkOrder
from work.photo_files import PhotoDirectory
from work.report import ANSWERS, CheckedItem, UsedPart, WorkReport

app = typer.Typer()
Step = Callable[[OpenDatabase, WorkStep], Awaitable[object]]


def _take(order: int, author: str, at: str | None, step: Step, *, as_json: bool) -> None:
    async def work(opened: OpenDatabase) -> tuple[WorkOrder, int]:
        await step(opened, await step_of(opened, author, at))
        return await read_order(opened, order)

    print_order(run(work), as_json=as_json)


@app.command()
def accept(order: Number, at: At = None, author: Author = "", as_json: Json = False) -> None:
    """Say that the person to whom an order was given takes it in hand."""
    _take(order, author, at, lambda o, step: steps.accept(o.connection, order, step), as_json=as_json)


@app.command()
def decline(order: Number, reason: Reason, at: At = None, author: Author = "", as_json: Json = False) -> None:
    """Give an order back: to its team, else to nobody."""
    _take(
        order, author, at, lambda o, step: steps.decline(o.connection, order, reason, step), as_json=as_json
    )


@app.command("on-the-way")
def on_the_way(order: Number, at: At = None, author: Author = "", as_json: Json = False) -> None:
    """Say that somebody is on the way."""
    _take(order, author, at, lambda o, step: steps.go(o.connection, order, step), as_json=as_json)


@app.command()
def start(order: Number, at: At = None, author: Author = "", as_json: Json = False) -> None:
    """Say that somebody is there and works."""
    _take(order, author, at, lambda o, step: steps.begin(o.connection, order, step), as_json=as_json)


@app.command()
def done(
    order: Number,
    did: Annotated[str, typer.Option("--did", help="what was done")],
    found: Annotated[str, typer.Option("--found", help="what was found")] = "",
    part: Annotated[
        list[str] | None, typer.Option(help="a part that was used: NAME or NAME=3, NAME=2.5m")
    ] = None,
    check: Annotated[
        list[str] | None, typer.Option(help=f"an item of the kind's checklist: ITEM={'|'.join(ANSWERS)}")
    ] = None,
    at: At = None,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Report an order done."""
    report = WorkReport(
        found=found,
        done=did,
        parts=[_part(text) for text in part or []],
        checklist=[_checked(text) for text in check or []],
    )

    async def finish(opened: OpenDatabase, step: WorkStep) -> bool:
        check_answers(report, await checklist_of(opened.connection, opened.kinds, order))
        return await steps.finish(opened.connection, order, report, step)

    _take(order, author, at, finish, as_json=as_json)


@app.command()
def cancel(order: Number, reason: Reason, at: At = None, author: Author = "", as_json: Json = False) -> None:
    """Call an order off."""
    _take(order, author, at, lambda o, step: steps.cancel(o.connection, order, reason, step), as_json=as_json)


@app.command()
def comment(
    order: Number,
    text: Annotated[str, typer.Argument(help="what the others should know")],
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Comment on an order, whatever its state."""
    _take(
        order, author, None, lambda o, step: steps.comment(o.connection, order, text, step), as_json=as_json
    )


@app.command()
def photo(
    order: Number,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JPEG, PNG or WebP, at most 8 MiB")
    ],
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Add a photo to an order: it is kept without place, time and camera."""

    async def work(opened: OpenDatabase) -> photos.WorkPhoto:
        if file.stat().st_size > picture.MOST_BYTES:
            raise Invalid("photo", f"has at most {picture.MOST_BYTES:,} bytes")
        files = PhotoDirectory(photo_directory(opened.settings))
        step = await step_of(opened, author)
        cleaned = picture.clean(file.read_bytes())
        return await photos.add_photo(opened.connection, files, order, cleaned, step, photo=uuid4())

    added = run(work)
    if as_json:
        output.print_json(added)
        return
    output.line(f"photo {added.id} of work order {order}: {added.width} x {added.height}, {added.size} bytes")


def _part(text: str) -> UsedPart:
    name, equals, much = text.partition("=")
    if not equals:
        return UsedPart(name=name)
    digits = much.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ%")
    try:
        return UsedPart(name=name, quantity=float(digits), unit=much[len(digits) :])
    except ValueError:
        raise typer.BadParameter(f"{text!r}: write a part as NAME, NAME=3 or NAME=2.5m") from None


def _checked(text: str) -> CheckedItem:
    item, _, answer = text.partition("=")
    for known in ANSWERS:
        if answer == known:
            return CheckedItem(item=item, answer=known)
    raise typer.BadParameter(f"{text!r}: write ITEM= and one of {', '.join(ANSWERS)}")
