"""What the kernel and who calls it agree on: compiled in, and part of the name of its file. Pure."""

from devices.kinds.kind import TEXT_LIMIT
from devices.wire.elements import LONE, MAX_ELEMENTS, MAX_PAYLOAD

__all__ = ["LONE", "MAX_ELEMENTS", "MAX_PAYLOAD", "TEXT_LIMIT"]

NUMBER, BOOLEAN, TEXT, TS, COUNTER, EXACT = range(6)
"""What is done with a key's value; EXACT: its message is left to the exact path."""
MEMBERS = 40
"""Most unknown keys of one element; one with more is left alone."""
HASH_SHIFT = 40
"""A key's or text's place in a table is its hash without so many bits, by the length of the table."""
TRIES = 8
"""Places of a table that are looked at: texts that a sender makes collide cost so much, and no more."""
TOPIC_LIMIT = 192
"""Bytes of a topic that is given a number; the longest one that names a device has 147."""
INCOMPLETE, ODD, FULL = range(3)
"""Why reading packets stops: the next one is not whole, not certain, or there is no room for it."""
NO_TIME = -(2**63)
"""As devices.wire.instants.ABSENT."""
MISSING = -1
"""As devices.columns.MISSING."""
