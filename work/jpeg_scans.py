"""How often a JPEG draws over its picture: each scan costs a decoder as much as the whole picture. Pure.

A camera's JPEG has one scan, a progressive one about ten; a file of some kilobytes can have thousands.
"""

from __future__ import annotations

import re

MOST_SCANS = 32
"""So many are counted; whoever asks refuses what has as many."""
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""What is no data: 0xff00 is a byte of data, 0xffd0 to 0xffd7 stand within a scan."""
_START_OF_SCAN, _END = 0xDA, 0xD9
_ALONE = frozenset({0x01, 0xD8})
"""Markers without a length and a body."""


def scans(content: bytes) -> list[int]:
    """Return how many components each scan has, until the picture ends; at most MOST_SCANS scans."""
    found: list[int] = []
    at = 2
    while len(found) < MOST_SCANS and (marker := _MARKER.search(content, at)):
        code, at = content[marker.end() - 1], marker.end()
        if code == _END:
            break
        if code in _ALONE:
            continue
        if code == _START_OF_SCAN:
            found.append(int.from_bytes(content[at + 2 : at + 3], "big"))
        at += max(int.from_bytes(content[at : at + 2], "big"), 2)
    return found
