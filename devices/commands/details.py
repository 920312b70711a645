"""What is said beside the state of a command that a network server sends: details, and what else is known.

Pure. Details are kept as they are written here; clients know them by codes, and say them in their language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, get_args

from devices.instants import rfc3339
from devices.registry.hardware import REPLACED

UNHEARD: Final = "waits until the network server has passed on a first message of the device"
NO_SOURCE: Final = "waits: the source that heard the device is disabled, or takes nothing for it"
NOT_KNOWN: Final = (
    "whether the network server has it is not known; it is not sent again, which could be twice"
)
SENT: Final = "a gateway sent it"
SENT_UNCONFIRMED: Final = "a gateway sent it; the device was not asked to confirm it"
CONFIRMED: Final = "the device confirmed that it heard it"
UNCONFIRMED_ONCE: Final = "the device has not confirmed it; the network server tries again"
UNCONFIRMED_EVER: Final = "the device did not confirm it"
REFUSED: Final = "the network server did not take it"
SOURCE_REMOVED: Final = "the source that handed it over was removed"
SOURCE_DISABLED: Final = "the source that handed it over was disabled"
NEVER_HEARD: Final = "no uplink of the device ever came"
NOT_TOLD: Final = "the device sent uplinks; its network server said nothing of the command"
NO_UPLINK: Final = "no uplink since "
"""Before the instant of the last one, as RFC 3339."""
DETAIL_CODES: Final[Mapping[str, str]] = {
    UNHEARD: "unheard",
    NO_SOURCE: "no_source",
    REPLACED: "replaced",
    NOT_KNOWN: "not_known",
    SENT: "sent",
    SENT_UNCONFIRMED: "sent_unconfirmed",
    CONFIRMED: "confirmed",
    UNCONFIRMED_ONCE: "unconfirmed",
    UNCONFIRMED_EVER: "given_up",
    REFUSED: "refused",
    SOURCE_REMOVED: "source_removed",
    SOURCE_DISABLED: "source_disabled",
    NEVER_HEARD: "never_heard",
    NOT_TOLD: "not_told",
    NO_UPLINK: "no_uplink",
}
"""What these details are, so that people are told them in their language."""


def detail_code(detail: str | None) -> tuple[str | None, datetime | None]:
    """Return which detail of ours a downlink has, with the instant that it names; None: another's words.

    Whatever is stored is answered: never an error.
    """
    if detail is None:
        return None, None
    if detail.startswith(NO_UPLINK):
        at = _instant(detail.removeprefix(NO_UPLINK))
        return (None, None) if at is None else (DETAIL_CODES[NO_UPLINK], at)
    return DETAIL_CODES.get(detail), None


def _instant(text: str) -> datetime | None:
    """Return an instant exactly as we write it; None: it is not."""
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return at if rfc3339(at) == text else None


def words_of_others(said: str) -> str:
    """Return what a device or its server says, quoted where it would pass for a detail of ours."""
    return said if detail_code(said) == (None, None) else f"“{said}”"


Situation = Literal["source_removed", "source_disabled", "source_away", "heard_since", "not_heard_since"]
SITUATIONS: Final[tuple[Situation, ...]] = get_args(Situation)
_SAID: Final[Mapping[Situation, str]] = {
    "source_removed": "the source that handed it over was removed: nothing more is heard of it",
    "source_disabled": "source {source} is disabled: nothing is heard of it",
    "source_away": "source {source} is away; its last message came {source_heard_at}",
    "heard_since": "nothing new since {since}, though the device called in (last reading: {device_heard_at});"
    " last message of its network server: {source_heard_at}",
    "not_heard_since": "nothing new since {since}: the device has not called in (last reading:"
    " {device_heard_at}); last message of its network server: {source_heard_at}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkSituation:
    """What is known of a command that waits for or at a network server.

    source: who hands it over, or did; None: it was removed. since: the last that became known of the command.
    source_heard_at, device_heard_at: when the last message of the source came, and the last reading of the
    device. source_municipality: where who manages devices knows the source; None: it was removed.
    """

    situation: Situation
    source: str | None
    source_municipality: str | None
    since: datetime
    source_heard_at: datetime | None
    device_heard_at: datetime | None

    def said(self) -> str:
        """Return it as a sentence for a terminal."""
        return _SAID[self.situation].format(
            source=self.source,
            since=_said(self.since),
            source_heard_at=_said(self.source_heard_at),
            device_heard_at=_said(self.device_heard_at),
        )


def situation_of(
    status: str,
    *,
    source: str | None,
    source_municipality: str | None,
    enabled: bool | None,
    connected: bool | None,
    since: datetime,
    source_heard_at: datetime | None,
    device_heard_at: datetime | None,
) -> DownlinkSituation | None:
    """Return what is known of a downlink as it stands; None: nothing beside its detail.

    Args:
        source: who handed it over; of what is queued, who would; None: nobody, or it was removed.
        enabled, connected: how that source stands; one is connected while who hears it gives signs of life.
    """
    found: Situation | None
    if status == "queued":
        found = "source_away" if source is not None and not connected else None
    elif status not in ("sent", "delivered"):
        found = None
    elif source is None:
        found = "source_removed"
    elif not enabled:
        found = "source_disabled"
    elif not connected:
        found = "source_away"
    else:
        called = device_heard_at is not None and device_heard_at > since
        found = "heard_since" if called else "not_heard_since"
    if found is None:
        return None
    return DownlinkSituation(
        situation=found,
        source=source,
        source_municipality=source_municipality,
        since=since,
        source_heard_at=source_heard_at,
        device_heard_at=device_heard_at,
    )


def _said(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M:%SZ}"
