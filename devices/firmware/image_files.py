"""The directory in which images lie, each under its SHA-256. Must not know what is in one."""

from __future__ import annotations

import os
from pathlib import Path

from devices.registry.errors import NotFound
from devices.synced import sync_directory


class ImageDirectory:
    """Files by SHA-256. Blocking: call it in a thread."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Return where an image lies, or would."""
        return self.root / f"{sha256}.bin"

    def found(self, sha256: str) -> Path:
        """Return where an image lies.

        Raises:
            NotFound: the directory was not restored with the database.
        """
        path = self.path(sha256)
        if not path.is_file():
            raise NotFound("firmware image", sha256, "its file is missing in NABD_FIRMWARE_DIR")
        return path

    def write(self, sha256: str, content: bytes) -> None:
        """Keep an image; it is whole on the disk when this returns, or not there, even after a power cut."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o750)
        path = self.path(sha256)
        partial = path.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            sync_directory(self.root)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def remove(self, sha256: str) -> None:
        """Take an image away; where there is none, nothing happens."""
        self.path(sha256).unlink(missing_ok=True)
