"""What became of each alert of the past: who went when, what they mended, and when it was over. Pure.

One technician does one thing at a time. Must not know how anything is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from alerts.transition import ConditionState, Transition
from firmware_sim.physics.model import SECOND, generator
from nabd.demo.visits import Visit, plan_visit

WATCHED_US = 3600 * SECOND
"""How long readings are watched after a visit, before it is said whether it helped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVisit:
    """Who went, and when: microseconds since 1970-01-01Z.

    ordered_at: of a second visit, when the order was reopened. mends: whether it helped.
    """

    technician: str
    ordered_at: int
    accepted_at: int
    left_at: int
    arrived_at: int
    done_at: int
    mends: bool


@dataclass(slots=True, kw_only=True)
class PastStory:
    """One alert of the past. transitions: in order, the first opens it. visits: in order, or none."""

    transitions: list[Transition]
    planned: Visit
    visits: list[PastVisit] = field(default_factory=list)
    repaired: bool = False

    @property
    def opened_at(self) -> int:
        """Return when it was detected."""
        return self.transitions[0].received_at

    @property
    def ended_at(self) -> int | None:
        """Return when its end was detected; None while it has not ended."""
        last = self.transitions[-1]
        return last.received_at if last.to_state is ConditionState.RESOLVED else None

    @property
    def verified_at(self) -> int | None:
        """Return when readings have shown that it is over; None while it has not ended."""
        if self.ended_at is None or not self.visits:
            return self.ended_at
        return max(self.ended_at, self.visits[-1].done_at) + WATCHED_US


@dataclass(slots=True, kw_only=True)
class PastWork:
    """Every alert of the past that is not over. technicians: by name, when each is free again."""

    seed: int
    technicians: dict[str, int]
    _open: dict[tuple[str, int], PastStory] = field(default_factory=dict)
    _leaving: list[PastStory] = field(default_factory=list)
    _number: int = 0

    def follow(self, transitions: Sequence[Transition]) -> None:
        """Take what rules concluded, in order."""
        for transition in transitions:
            key = (transition.rule, transition.device_id)
            if transition.opens:
                self._number += 1
                drawn = plan_visit(generator(self.seed, "past", str(self._number)))
                self._open[key] = PastStory(transitions=[transition], planned=drawn)
            elif story := self._open.get(key):
                story.transitions.append(transition)
                if story.ended_at is not None:
                    self._leaving.append(self._open.pop(key))

    def send(self, now: int) -> None:
        """Send somebody wherever an alert has waited long enough by `now`, or a visit did not help."""
        for story in self._open.values():
            if not story.visits:
                waits_until = story.opened_at + round(story.planned.dispatch_s * SECOND)
                free = min(self.technicians, key=lambda one: self.technicians[one])
                self._visit(story, waits_until, now, free, mends=not story.planned.fails)
            elif not (last := story.visits[-1]).mends:
                self._visit(story, last.done_at + WATCHED_US, now, last.technician, mends=True)

    def _visit(self, story: PastStory, ordered_at: int, now: int, name: str, *, mends: bool) -> None:
        if ordered_at > now:
            return
        planned = story.planned
        accepted_at = max(ordered_at + round(planned.accept_s * SECOND), self.technicians[name])
        left_at = accepted_at + round(planned.leave_s * SECOND)
        arrived_at = left_at + round(planned.drive_s * SECOND)
        done_at = self.technicians[name] = arrived_at + round(planned.work_s * SECOND)
        story.visits.append(
            PastVisit(
                technician=name,
                ordered_at=ordered_at,
                accepted_at=accepted_at,
                left_at=left_at,
                arrived_at=arrived_at,
                done_at=done_at,
                mends=mends,
            )
        )

    def mended(self, now: int) -> dict[int, int]:
        """Return what is mended by `now` and was not yet: when, by number of the device."""
        found: dict[int, int] = {}
        for story in [*self._open.values(), *self._leaving]:
            done = [visit.done_at for visit in story.visits if visit.mends and visit.done_at <= now]
            if done and not story.repaired:
                story.repaired = True
                found[story.transitions[0].device_id] = done[0]
        return found

    def over(self, now: int) -> list[PastStory]:
        """Return what is over by `now`, once each, in the order in which it began."""
        done = [s for s in self._leaving if s.verified_at is not None and s.verified_at <= now]
        self._leaving = [story for story in self._leaving if story not in done]
        return sorted(done, key=lambda story: story.opened_at)
