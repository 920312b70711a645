"""Errors of the registry and of commands, by who must act; they know no HTTP and no exit code.

RegistryError
├── NotFound        the caller named something that does not exist
├── AlreadyExists   the caller must choose another name, or edit what is there
├── Invalid         the caller must correct the named field
└── Conflict        it was changed meanwhile: read it again, then decide
"""

from __future__ import annotations


class RegistryError(Exception):
    """The registry refused something; the text names the fix."""


class NotFound(RegistryError):
    """There is no `what` called `name`."""

    def __init__(self, what: str, name: str, hint: str = "") -> None:
        super().__init__(f"no {what} is called {name!r}{'; ' + hint if hint else ''}")
        self.what = what
        self.name = name


class AlreadyExists(RegistryError):
    """There is a `what` called `name` already."""

    def __init__(self, what: str, name: str, hint: str = "") -> None:
        super().__init__(f"a {what} called {name!r} exists already{'; ' + hint if hint else ''}")
        self.what = what
        self.name = name


class Invalid(RegistryError):
    """`field` is not acceptable; `message` says why and what would be.

    key: of what people are told in their language instead, as in Conflict.
    """

    def __init__(self, field: str, message: str, *, key: str = "") -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.key = key


class Conflict(RegistryError):
    """It changed since it was read, or its state does not allow this.

    key: of what people are told in their language instead (devices.texts), with `values` for its
    placeholders; empty: they are told this text.
    """

    def __init__(self, text: str, *, key: str = "", **values: str) -> None:
        super().__init__(text)
        self.key = key
        self.values = values
