"""One person who may be told: where they are reached, in which steps, and when only what is severe enough.

Pure. People who are disabled are none of them. Must not know routes.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from alerts.transition import Severity
from devices.texts.languages import Language
from devices.time_zones import zone_named
from notify.facts import Contact
from notify.routing.local_clock import LocalSpan, shifted
from people.identity import Grant

LATER_S: Mapping[str, float] = {"sms": 300.0}
"""Of who has no own steps: what costs money or wakes people waits this long; all others at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A span of the day in which what is less severe than `below` waits until its end."""

    span: LocalSpan
    below: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A person.

    addresses: by channel. steps: channel and seconds; empty: the default. time_zone: that of the municipality
    in which they hold a role, an IANA name.
    """

    id: int
    name: str
    display_name: str
    language: Language
    time_zone: str
    grants: frozenset[Grant]
    addresses: Mapping[str, tuple[str, ...]]
    steps: tuple[tuple[str, float], ...] = ()
    quiet_hours: tuple[QuietHours, ...] = ()

    def reached_by(self, channels: Container[str]) -> Receiver:
        """Return them with the addresses of these channels only."""
        usable = {channel: there for channel, there in self.addresses.items() if channel in channels}
        return replace(self, addresses=usable)

    def contacts(self, severity: Severity, at: int) -> tuple[Contact, ...]:
        """Return how they are told of something that they are to be told at an instant, the soonest first.

        Args:
            at: microseconds since 1970-01-01Z; a contact's after_s counts from it.
        """
        steps = [step for step in self.steps if step[0] in self.addresses] or self._usual_steps()
        after_s = self._waiting(severity, at, [s for _, s in steps])
        found = [
            Contact(person_id=self.id, channel=channel, address=address, after_s=s)
            for s, (channel, _) in zip(after_s, steps, strict=True)
            for address in self.addresses[channel]
        ]
        return tuple(sorted(found, key=lambda contact: contact.after_s))

    def _usual_steps(self) -> list[tuple[str, float]]:
        if len(self.addresses) == 1:
            return [(channel, 0.0) for channel in self.addresses]
        return [(channel, LATER_S.get(channel, 0.0)) for channel in self.addresses]

    def _waiting(self, severity: Severity, at: int, after_s: list[float]) -> list[float]:
        quiet = [one.span for one in self.quiet_hours if severity.rank < one.below.rank]
        return shifted(at, after_s, quiet, zone_named(self.time_zone))
