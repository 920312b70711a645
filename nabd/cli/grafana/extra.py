"""Whether the libraries that only `nabd grafana` needs are installed."""

from __future__ import annotations

from importlib.util import find_spec

from nabd.cli.output import fail

PACKAGES = ("grafana_client", "grafana_foundation_sdk")


def there() -> bool:
    """Tell whether they are."""
    return all(find_spec(package) for package in PACKAGES)


def need() -> None:
    """Exit with the one command that helps where they are not."""
    if not there():
        fail(
            "dashboards need the extra `grafana`:"
            " URLLIB3_NO_OVERRIDE=true pip install --no-binary urllib3-future 'nabd[grafana]'"
        )
