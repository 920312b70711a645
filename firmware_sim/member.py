"""The electronics of one simulated device: when it samples, what its clock says, how it writes a reading.

Knows physics, faults and the wire's keys; not how messages travel. Times are arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec
import numpy as np

from devices.kinds.kind import INTERVAL, Kind
from devices.wire.topics import GATEWAY, Channel, Topic
from firmware_sim.faults import CLOCK_WRONG, FROZEN_VALUES, LOST_LINK, SILENT, FaultSink, Labels, rfc3339
from firmware_sim.outbox import SimulatedReading
from firmware_sim.physics.model import SECOND, CommandAnswer, Truth, Value, generator
from firmware_sim.plan import CLOCK_OFF, FROZEN, INSTANT, LINK_LOSS, SERVICE, SILENCE, PlannedFault, Schedule
from firmware_sim.specs import SimulatedDevice
from firmware_sim.town import Town

_BOOT_S = 30.0
"""After power-up a device reports within this time, however rarely it reports later."""
_BAD_TIME = "2026-02-30 12:00"
_REMEMBERED = 1000
REFUSES = CommandAnswer(status="rejected", detail="locked by its keeper")

_FAST_S, _SLOW_S = 300.0, 600.0
"""How far ahead, and behind, a clock may be; behind looks like a slow network for longer."""
_RECONNECT_S = 8.0
"""After so long on a link that came back, what was held back has been sent."""
_STILL_SEEN = (SILENT, LOST_LINK, FROZEN_VALUES, CLOCK_WRONG)

LinkBreaker = Callable[[bool], None]
"""Told True when the device's link goes down, and False when it may come up again."""


class Member:
    """One sensing device. `due` is the instant of its next step."""

    def __init__(
        self, device: SimulatedDevice, town: Town, start: int, faults: FaultSink, delay_s: float
    ) -> None:
        assert device.physics is not None
        self.device = device
        self.kind: Kind = town.kinds[device.kind]
        self.topic = str(_topic(device))
        self._derived = frozenset(d.measurement for d in self.kind.derived)
        self._physics = device.physics()
        self._rng = generator(town.seed, "wire", device.name)
        self._clock_rng = generator(town.seed, "clock", device.name)
        self._resend_rng = generator(town.seed, "resend", device.name)
        self._schedule = Schedule(
            device.opening,
            device.causes,
            mean_days=town.fault_mean_days,
            start=start,
            rng=generator(town.seed, "faults", device.name),
        )
        self._labels = Labels(device.name, faults, delay_s) if device.electronics.bad is None else None
        self._active: dict[str, int] = {}
        self._said: dict[str, Value] = {}
        self._frozen: dict[str, Value] | None = None
        self._frozen_interval_s = 0.0
        self._clock_off_s = 0.0
        self._mute_aloft: bool | None = None
        self._unheard = self._held_back = False
        self._back_at: int | None = None
        self._answered: dict[str, CommandAnswer] = {}
        self.configured: dict[str, object] = {}
        self.firmware = device.electronics.firmware
        self._started = start
        self._last_at: int | None = None
        self._last_malformed = 0
        self.boot = start // SECOND
        self._seq = 0
        self.on_link: LinkBreaker = lambda down: None
        first = float(self._rng.uniform(0.0, min(self._physics.interval_s(), _BOOT_S)))
        self._report_at = start + round(first * SECOND)
        self.due = self._report_at

    def tick(self, now: int) -> list[SimulatedReading]:
        """Live until `now` (which is `due`) and return what is to be sent."""
        urgent = self._physics.step(now)
        if self._break_and_repair(now):
            urgent |= self._physics.step(now)
        interval = self._interval_s()
        self._label(now, interval)
        readings: list[SimulatedReading] = []
        if (urgent or now >= self._report_at) and SILENCE not in self._active:
            readings = self._report(now)
            self._held_back = LINK_LOSS in self._active
            self._unheard = self._unheard and self._held_back
        if urgent or now >= self._report_at:
            self._report_at = now + round(interval * SECOND)
        self._report_at = min(self._report_at, now + round(interval * SECOND))
        self.due = self._next_due(now)
        return readings

    def _interval_s(self) -> float:
        """Return how often it reports: as before for as long as its software stands still."""
        if self._frozen:
            return self._frozen_interval_s
        return self._physics.interval_s()

    def _next_due(self, now: int) -> int:
        wanted = [self._report_at, now + round(self._physics.tick_s() * SECOND), *self._active.values()]
        start = self._schedule.next_start
        if start is not None and start > now:
            wanted.append(start)
        return max(now + SECOND // 1000, min(wanted))

    def close(self, now: int) -> None:
        """Label what still holds."""
        if self._labels is not None:
            self._labels.close(now)

    def _break_and_repair(self, now: int) -> bool:
        """End and begin the causes that are due; True when anything changed."""
        over = [cause for cause, until in self._active.items() if until <= now]
        for cause in over:
            del self._active[cause]
            self._switch(cause, on=False)
        start = self._schedule.next_start
        if start is None or start > now or not self._ready():
            return bool(over)
        planned: PlannedFault = self._schedule.take(now)
        if planned.lasts_s > INSTANT:
            self._active[planned.cause] = now + round(planned.lasts_s * SECOND)
        self._switch(planned.cause, on=True)
        return True

    def repair(self, now: int) -> None:
        """Let somebody put right what is broken and service it; it reports soon after.

        `due` is then its next step, which may be sooner than before.
        """
        for cause in self._active:
            self._active[cause] = now
        service = SERVICE.get(self.device.kind)
        if service is not None and self._physics.ready(service):
            self._physics.begin(service)
        self._report_at = self.due = now

    def _ready(self) -> bool:
        cause = self._schedule.next_cause
        return cause in (SILENCE, LINK_LOSS, FROZEN, CLOCK_OFF) or self._physics.ready(cause)

    def _switch(self, cause: str, *, on: bool) -> None:
        if cause == LINK_LOSS:
            self.on_link(on)
        elif cause == SILENCE:
            self._report_at = self._report_at if on else 0
        elif cause == FROZEN:
            self._frozen_interval_s = self._physics.interval_s()
            self._frozen = self._said if on else None
        elif cause == CLOCK_OFF:
            self._clock_off_s = _drawn_offset_s(self._clock_rng) if on else 0.0
        elif on:
            self._physics.begin(cause)
        else:
            self._physics.end(cause)

    def _label(self, now: int, interval_s: float) -> None:
        if self._labels is None:
            return
        # Nobody can miss a device that has never been heard.
        mute = self._last_at is not None and (SILENCE in self._active or LINK_LOSS in self._active)
        self._listen(now, mute=mute)
        truth = {
            **self._aloft(self._physics.truth(), mute=mute, unheard=self._unheard),
            SILENT: Truth(holds=mute, near=self._unheard),
            FROZEN_VALUES: Truth(holds=bool(self._frozen)),
            CLOCK_WRONG: Truth(holds=self._clock_wrong()),
        }
        # Who stands still measures nothing. Frozen values tell nothing, nor do readings that a clock set back
        # makes look late.
        if self.stands_still or self._frozen or self._clock_off_s < -_SLOW_S:
            truth = {rule: replace(state, hidden=rule not in _STILL_SEEN) for rule, state in truth.items()}
        self._labels.observe(now, truth, interval_s)

    def _listen(self, now: int, *, mute: bool) -> None:
        """Follow whether it was heard since it was mute: a link that came back unheard did not come back."""
        if mute:
            self._unheard, self._back_at = True, None
        elif self._back_at is None:
            self._back_at = now
        elif self._held_back and now - self._back_at > _RECONNECT_S * SECOND:
            self._unheard = self._held_back = False

    def _aloft(self, truth: Mapping[str, Truth], *, mute: bool, unheard: bool) -> Mapping[str, Truth]:
        """Return the truth with what it means that an aircraft is mute: lost, if it was heard last in flight.

        Until it is heard again nobody knows whether it has landed.
        """
        flies = truth.get(LOST_LINK)
        if flies is None:
            return truth
        if not unheard:
            self._mute_aloft = None
        elif self._mute_aloft is None:
            self._mute_aloft = flies.near
        lost = bool(self._mute_aloft)
        return {**truth, LOST_LINK: Truth(holds=lost and mute, near=lost)}

    def _clock_wrong(self) -> bool:
        """Tell whether the clock is so wrong that somebody should set it."""
        off_s = self.device.electronics.clock_ahead_s + self._clock_off_s
        unset = self.device.electronics.clock == "unset"
        return unset or not -_SLOW_S <= off_s <= _FAST_S

    def _report(self, now: int) -> list[SimulatedReading]:
        at = now // 1000 * 1000
        if self._last_at is not None and at <= self._last_at:
            return []
        self._last_at = at
        self._said = self._frozen or self._physics.measure()
        readings = [self._reading(at, self._said)]
        electronics = self.device.electronics
        if electronics.malformed and self._rng.random() < electronics.malformed:
            readings.append(self._malformed(at + 1000))
        return readings

    def _reading(self, at: int, values: Mapping[str, Value]) -> SimulatedReading:
        electronics = self.device.electronics
        said: dict[str, Value] = {name: value for name, value in values.items() if value is not None}
        ts = self._device_time(at)
        element: dict[str, object] = {"ts": ts}
        if self.device.relay is not None:
            element |= {"kind": self.device.kind, "device": self.device.name}
        if electronics.counted:
            self._seq += 1
            element |= {"boot": self.boot, "seq": self._seq}
        element |= said
        if electronics.unknown_keys and self._rng.random() < electronics.unknown_keys:
            element |= {"fw": "2.4.1", "uptime_s": (at - self._started) // SECOND}
        return SimulatedReading(
            topic=self.topic,
            device=self.device.name,
            kind=self.device.kind,
            observed_at=None if electronics.clock == "unset" else at,
            ts=ts,
            clock="ahead" if self._clock_off_s else electronics.clock,
            values=said,
            derived=self._derived,
            element=msgspec.json.encode(element),
            boot=self.boot if electronics.counted else None,
            seq=self._seq if electronics.counted else None,
            bad=electronics.bad,
            receipt=electronics.counted,
        )

    def _device_time(self, at: int) -> int | str:
        electronics = self.device.electronics
        if electronics.clock == "unset":
            return rfc3339(at - self._started)  # as text: so small a number would be taken for seconds
        shown = at + round((electronics.clock_ahead_s + self._clock_off_s) * SECOND)
        return rfc3339(shown) if electronics.text_time else shown // 1000

    def _malformed(self, at: int) -> SimulatedReading:
        """Return something that must be rejected: cut off, a word for a number, an impossible time."""
        ts = at // 1000
        name = self.kind.headline
        choices = (
            ("malformed", b'{"ts":%d,"%s":' % (ts, name.encode())),
            ("bad_value", b'{"ts":%d,"%s":"hot"}' % (ts, name.encode())),
            ("bad_time", b'{"ts":"%s","%s":1}' % (_BAD_TIME.encode(), name.encode())),
        )
        reason, element = choices[self._last_malformed % len(choices)]
        self._last_malformed += 1
        return SimulatedReading(
            topic=self.topic,
            device=self.device.name,
            kind=self.device.kind,
            observed_at=None,
            ts=ts if reason == "bad_value" else None,
            clock="right",
            values={},
            element=element,
            bad=reason,
            alone=True,
        )

    @property
    def stands_still(self) -> bool:
        """Tell whether its electronics do nothing at present."""
        return SILENCE in self._active

    def resends(self) -> bool:
        """Tell by chance whether the device sends an accepted reading once more."""
        electronics = self.device.electronics
        return bool(electronics.resends) and bool(self._resend_rng.random() < electronics.resends)

    def obey(self, now: int, command_id: str, name: str, args: Mapping[str, object]) -> CommandAnswer:
        """Carry out a command once; a known id gets the answer it got before."""
        if command_id not in self._answered:
            self._answered[command_id] = self._obey(now, name, args)
            if len(self._answered) > _REMEMBERED:
                del self._answered[next(iter(self._answered))]
        return self._answered[command_id]

    def updated(self, now: int, version: str) -> None:
        """Run another firmware from now on: it starts anew."""
        self.firmware = version
        self._obey(now, "reboot", {})

    def configure(self, now: int, wanted: Mapping[str, object]) -> dict[str, str]:
        """Set itself as the platform wants; return what it does not take, and why."""
        refused: dict[str, str] = {}
        for name, value in wanted.items():
            if self.configured.get(name) == value:
                continue
            answer = REFUSES if not self.device.electronics.obeys else self._set(now, name, value)
            if answer.status == "succeeded":
                self.configured[name] = value
            else:
                refused[name] = answer.detail
        return refused

    def _set(self, now: int, name: str, value: object) -> CommandAnswer:
        return self._obey(now, "set_interval" if name == INTERVAL else f"set_{name}", {name: value})

    def _obey(self, now: int, name: str, args: Mapping[str, object]) -> CommandAnswer:
        if not self.device.electronics.obeys:
            return REFUSES
        if name not in ("reboot", "report_now"):
            answer = self._physics.command(name, args)
            self._report_at = min(self._report_at, now + round(self._physics.interval_s() * SECOND))
            self.due = min(self.due, self._report_at)
            return answer
        if name == "reboot":
            self.boot, self._seq = max(self.boot + 1, now // SECOND), 0
        self._report_at = self.due = now
        return CommandAnswer(
            status="succeeded", result={"boot": float(self.boot)} if name == "reboot" else {}
        )


def _drawn_offset_s(rng: np.random.Generator) -> float:
    """Return by how much a clock goes wrong: seconds or minutes often, hours seldom, ahead or behind."""
    if rng.random() < 0.25:
        return float(rng.uniform(-120.0, 120.0))
    ahead = rng.random() < 0.6
    low, high = (330.0, 40_000.0) if ahead else (660.0, 7200.0)
    off_s = low * math.pow(high / low, float(rng.random()))
    return off_s if ahead else -off_s


def publisher(device: SimulatedDevice) -> str:
    """Return the name of the device that publishes for this one: itself or its gateway."""
    return device.relay or device.name


def _topic(device: SimulatedDevice) -> Topic:
    kind = device.kind if device.relay is None else GATEWAY
    return Topic(device.municipality, kind, publisher(device), Channel.TELEMETRY)
