"""Why a server of Grafana is not brought to what is wanted; each text names who must do what. No HTTP above.

GrafanaFailed
├── GrafanaUnavailable    nobody answers there
├── GrafanaOutdated         its version lacks what we use
└── GrafanaRefused      it does not let us, or does not take what we send
"""

from __future__ import annotations


class GrafanaFailed(Exception):
    """The server could not be brought to what is wanted."""


class GrafanaUnavailable(GrafanaFailed):
    """Nobody answers at the address, or nobody who speaks Grafana's API."""


class GrafanaOutdated(GrafanaFailed):
    """The server's version is older than what we use."""


class GrafanaRefused(GrafanaFailed):
    """The server answered with a refusal."""
