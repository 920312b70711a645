"""MQTT's reason codes: whether a broker took what it was handed. Pure; must not know who publishes."""

from __future__ import annotations

from typing import Final

NO_SUBSCRIBERS: Final = 0x10
"""It took a message that nobody hears."""
FAILURE: Final = 0x80
"""From here on codes are refusals."""


def is_taken(code: int) -> bool:
    """Tell whether a broker took a message on that somebody hears; a code below 0 is no answer."""
    return 0 <= code < FAILURE and code != NO_SUBSCRIBERS
