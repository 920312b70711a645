"""The directory in which photos lie, each under its id. Must not know orders, nor what is in a photo."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from devices.registry.errors import NotFound
from devices.synced import sync_directory


class PhotoDirectory:
    """Files by id, two levels deep, so that no folder gets too many. Blocking: call it in a thread."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, photo: UUID) -> Path:
        """Return where a photo lies, or would."""
        return self.root / photo.hex[:2] / photo.hex

    def write(self, photo: UUID, content: bytes) -> None:
        """Store a photo; it is whole on the disk when this returns, or not there, even after a power cut."""
        path = self.path(photo)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        for folder in (path.parent, self.root):
            sync_directory(folder)

    def read(self, photo: UUID) -> bytes:
        """Return a photo's bytes.

        Raises:
            NotFound: there is no such file: the directory was not restored with the database.
        """
        try:
            return self.path(photo).read_bytes()
        except FileNotFoundError:
            raise NotFound("photo", str(photo), "its file is missing in NABD_PHOTO_DIR") from None

    def remove(self, photo: UUID) -> None:
        """Take a photo away; where there is none, nothing happens."""
        self.path(photo).unlink(missing_ok=True)
