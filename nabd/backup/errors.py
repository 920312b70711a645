"""What is refused of backups: one sentence each, which names the fix. The administrator must act."""

from __future__ import annotations


class BackupRefused(Exception):
    """A backup cannot be made, read or restored; nothing was changed."""


class StagedFilesLeft(Exception):
    """The database is restored, and files could not be put in their places; the text names where they lie."""
