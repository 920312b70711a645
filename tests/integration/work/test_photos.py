"""Photos of orders in their table and their directory."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from devices.registry.errors import Conflict, NotFound
from tests.integration.work.builders import order, person, picture, step
from work import photos
from work.assigning import Crew
from work.event import history
from work.photo_files import PhotoDirectory


async def test_a_photo_is_kept_once_and_read_again(connection: asyncpg.Connection, tmp_path: Path) -> None:
    files = PhotoDirectory(tmp_path)
    rima, sami = await person(connection, "rima"), await person(connection, "sami")
    made = await order(connection, to=Crew(assignee="rima"))
    mine = step(rima, own_only=True)

    first = await photos.add_photo(connection, files, made.id, picture(), mine, photo=uuid4())
    again = await photos.add_photo(connection, files, made.id, picture(), mine, photo=uuid4())

    assert again == first
    assert files.read(first.id) == picture().content
    assert await photos.photos(connection, made.id) == [first]
    assert (await history(connection, made.id))[-1].body == {"photo": str(first.id)}
    with pytest.raises(Conflict, match="not yours"):
        await photos.add_photo(
            connection, files, made.id, picture(9), step(sami, own_only=True), photo=uuid4()
        )
    files.remove(first.id)
    with pytest.raises(NotFound, match="NABD_PHOTO_DIR"):
        files.read(first.id)


@pytest.mark.attack("photos of work")
async def test_an_order_takes_so_many_photos_and_no_more(
    connection: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "MOST_PHOTOS", 2)
    files = PhotoDirectory(tmp_path)
    made = await order(connection)
    ids: list[UUID] = [uuid4() for _ in range(3)]
    for n, photo in enumerate(ids[:2]):
        await photos.add_photo(connection, files, made.id, picture(n), step(), photo=photo)

    with pytest.raises(Conflict, match="as many as one may have"):
        await photos.add_photo(connection, files, made.id, picture(2), step(), photo=ids[2])
    assert not files.path(ids[2]).exists()
    with pytest.raises(NotFound):
        await photos.get_photo(connection, made.id + 1, ids[0])


async def test_a_photo_whose_row_cannot_be_stored_leaves_no_file(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    files, photo = PhotoDirectory(tmp_path), uuid4()
    made = await order(connection)
    await connection.execute("ALTER TABLE work_photo ADD CONSTRAINT none CHECK (false)")
    with pytest.raises(asyncpg.CheckViolationError):
        await photos.add_photo(connection, files, made.id, picture(), step(), photo=photo)
    assert _names(tmp_path) == []


def _names(root: Path) -> list[str]:
    return [path.name for path in root.rglob("*") if path.is_file()]
