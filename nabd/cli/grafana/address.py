"""Which server of Grafana a command speaks to, and as whom."""

from __future__ import annotations

from pydantic import ValidationError

from api.grafana.sync.server import GrafanaAddress
from nabd.cli import output
from nabd.grafana_settings import GrafanaSettings


def settings_of(url: str | None) -> GrafanaSettings:
    """Return the settings, or print what lacks and exit with 1; url: in place of NABD_GRAFANA_URL."""
    try:
        settings = GrafanaSettings() if url is None else GrafanaSettings(url=url)
    except ValidationError as error:
        output.fail(f"NABD_GRAFANA_{str(error.errors()[0]['loc'][0]).upper()}: {error.errors()[0]['msg']}")
    if not settings.url:
        output.fail("no server is named: give its address, https://grafana.example.org, or NABD_GRAFANA_URL")
    if not settings.password and not settings.token:
        output.fail("set NABD_GRAFANA_PASSWORD of a server administrator, or NABD_GRAFANA_TOKEN")
    return settings


def address_of(settings: GrafanaSettings) -> GrafanaAddress:
    """Return where the server is and who asks."""
    return GrafanaAddress(
        url=settings.url.rstrip("/"), user=settings.user, password=settings.password, token=settings.token
    )
