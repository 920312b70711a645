"""The processes for codecs among our children: a run of tests has others, of databases and brokers."""

from __future__ import annotations

import psutil


def codec_process() -> psutil.Process:
    """Return the one that runs."""
    (found,) = (one for one in psutil.Process().children() if "devices.codecs.sandbox" in one.cmdline())
    return found
