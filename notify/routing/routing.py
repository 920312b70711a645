"""Who is told of an alert, by which channel, and when: routes, people, teams and schedules at one moment.

Pure. `load` makes one, and another one after a change. Names in routes that are not there any more are
nobody. Must not know the database.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerts.transition import Severity
from devices.time_zones import zone_named
from notify.facts import AlertFacts, Contact, NotificationPlan
from notify.routing.local_clock import LocalCalendar
from notify.routing.names import ADMINS, OPERATORS, TECHNICIANS
from notify.routing.receiver import Receiver
from notify.routing.rotation import OnCallRota
from notify.routing.route import Route
from people.identity import Grant
from people.roles import Role

NOWHERE = LocalCalendar(zone=zone_named("UTC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Everything that decides who is told.

    generation: changes when any of it does. receivers: people by id, none of them disabled. teams: ids of
    members by name. schedules, calendars: by name of the schedule and of the municipality. rule_routes: what
    rules say of who cares, by id.
    """

    generation: str
    routes: Route
    receivers: Mapping[int, Receiver]
    teams: Mapping[str, tuple[int, ...]]
    schedules: Mapping[str, OnCallRota]
    calendars: Mapping[str, LocalCalendar]
    rule_routes: Mapping[str, str] = field(default_factory=dict)

    def plan(self, facts: AlertFacts, at: int) -> NotificationPlan:
        """Return what the route of an alert asks for, from an instant on.

        Args:
            at: microseconds since 1970-01-01Z; after_s of the steps counts from it.
        """
        calendar = self.calendars.get(facts.municipality, NOWHERE)
        if facts.route is None and facts.rule in self.rule_routes:
            facts = replace(facts, route=self.rule_routes[facts.rule])
        return self.routes.find(facts, at, calendar).plan(at, calendar.zone)

    def people(self, receivers: Sequence[str], facts: AlertFacts, at: int) -> tuple[int, ...]:
        """Return the ids of the people that receivers of a plan mean at an instant, each once.

        Who cannot be reached is among them where a route or a schedule names them; `contacts` is empty then.
        Nobody is who holds no role in the alert's municipality any more.
        """
        present = self.present(facts.municipality)
        found = [p for text in receivers for p in self._of(text, facts.municipality, at, present)]
        return tuple(dict.fromkeys(person for person in found if person in present))

    def present(self, municipality: str | None) -> frozenset[int]:
        """Return the ids of the people who hold a role in a municipality; None: in any."""
        return frozenset(
            r.id
            for r in self.receivers.values()
            if any(municipality is None or g.municipality in (None, municipality) for g in r.grants)
        )

    def contacts(self, person_id: int, severity: Severity, at: int) -> tuple[Contact, ...]:
        """Return how a person is told at an instant, the soonest first; nothing where they cannot be."""
        found = self.receivers.get(person_id)
        return found.contacts(severity, at) if found is not None else ()

    def addresses(self, person_id: int, channel: str) -> tuple[str, ...]:
        """Return a person's addresses of a channel, whatever their own steps are."""
        found = self.receivers.get(person_id)
        return found.addresses.get(channel, ()) if found is not None else ()

    def _of(self, text: str, municipality: str, at: int, present: Collection[int]) -> Sequence[int]:
        kind, _, name = text.partition(":")
        match kind:
            case "operators" | "technicians" | "admins":
                return self._holding(kind, municipality)
            case "person":
                return [r.id for r in self.receivers.values() if r.name == name]
            case "team":
                return self.teams.get(name, ())
            case "on-call" if name in self.schedules:
                person = self.schedules[name].who(at, present)
                return [] if person is None else [person]
        return ()

    def _holding(self, receiver: str, municipality: str) -> list[int]:
        """Return who holds a role in a municipality and can be told; without operators its administrators."""
        role = _ROLES[receiver]
        one_of = {Grant(role=role), Grant(role=role, municipality=municipality)}
        found = [r.id for r in self.receivers.values() if r.addresses and not one_of.isdisjoint(r.grants)]
        return found or (self._holding(ADMINS, municipality) if receiver == OPERATORS else [])


_ROLES = {OPERATORS: Role.OPERATOR, TECHNICIANS: Role.TECHNICIAN, ADMINS: Role.ADMIN}
