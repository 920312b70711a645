"""`{alert_id:number}` in the path of a route: digits only, so that /alerts/acknowledge is no alert.

A path that has a word there is the address of something else, or of nothing (404). Must not know the routes.
"""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class _Digits(Convertor[int]):
    """At most 100 digits: Python refuses to read very long ones. What no thing can have is for the route."""

    regex = "[0-9]{1,100}"

    def convert(self, value: str) -> int:
        """Return what stands in a path as a number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return a number as it stands in a path."""
        return str(value)


def register() -> None:
    """Make `:number` known to the routes that are declared from now on."""
    register_url_convertor("number", _Digits())
