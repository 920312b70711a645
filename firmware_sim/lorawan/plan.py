"""Which frames are sent when, what happens to each on its way, and what must be stored of it. Pure.

Faults take turns, so that a short run has each of them too. Times are microseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from devices.kinds import Kinds
from devices.kinds.kind import Kind
from firmware_sim.lorawan.city import CityDevice, NetworkServer
from firmware_sim.lorawan.frame import CityFrame, HeardFrame
from firmware_sim.lorawan.gateways import (
    AHEAD,
    BEHIND,
    CLOCKLESS,
    RIGHT,
    UNSET,
    Gateway,
    receptions,
    some_right,
)
from firmware_sim.physics.model import Value

SECOND = 1_000_000
LATE_S = 48.0
"""So long after the first a copy comes by another way; a quarter of a short run."""
NETWORK_US = 180_000
"""A network server waits so long for further gateways."""
REJOINS_EVERY = 5
"""Every fifth device joins anew in the middle: its counter begins at 0."""


class FrameFault(StrEnum):
    """What happens to a frame."""

    OVERTAKEN = "overtaken"
    LOST = "lost_on_air"
    LATE = "late_copy"
    AHEAD = "clock_ahead"
    AHEAD_ALONE = "clock_ahead_alone"
    LATE_AHEAD = "late_copy_clock_ahead"
    BEHIND = "clock_behind"
    BEHIND_ALONE = "clock_behind_alone"
    LATE_BEHIND = "late_copy_clock_behind"
    REPEATED = "delivered_twice"
    UNSET_ALONE = "clock_never_set"
    CLOCKLESS = "no_clock"


EVERY: Final = 2
"""Every second frame of a network server has a fault."""
LATE_BY: Final[Mapping[FrameFault, Gateway]] = {
    FrameFault.LATE: RIGHT[-1],
    FrameFault.LATE_AHEAD: AHEAD,
    FrameFault.LATE_BEHIND: BEHIND,
}
"""By whom a copy comes late."""
HEARD_BY: Final[Mapping[FrameFault, Sequence[Gateway]]] = {
    FrameFault.AHEAD: (AHEAD, RIGHT[0]),
    FrameFault.AHEAD_ALONE: (AHEAD,),
    FrameFault.BEHIND: (BEHIND, RIGHT[1]),
    FrameFault.BEHIND_ALONE: (BEHIND,),
    FrameFault.UNSET_ALONE: (UNSET,),
    FrameFault.CLOCKLESS: (CLOCKLESS,),
}
"""Who hears a frame, where that is the fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFrame:
    """One frame that a network server hears, and what must be stored of it."""

    device: CityDevice
    frame: CityFrame
    observed_at: int
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message of a network server. frame: of which one, as its place in the plan; None: of none."""

    due: int
    server: str
    topic: str
    payload: bytes
    frame: int | None = None
    copy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that network servers hear and say.

    deliveries: in the order in which they are due. lost_on_air: frames that no gateway heard.
    faults: how often each happens.
    """

    frames: tuple[PlannedFrame, ...]
    deliveries: tuple[Delivery, ...]
    lost_on_air: int
    faults: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Air:
    """A frame as it leaves its device. next_at: when the device sends again; None: no more."""

    at: int
    device: CityDevice
    frame: CityFrame
    next_at: int | None


def make_plan(
    devices: Sequence[CityDevice], kinds: Kinds, *, seed: int, start: int, seconds: float, interval_s: float
) -> Plan:
    """Return a plan from `start` on; its last delivery is due within `seconds`.

    The last one of each network server is no copy: once that is stored, so is all that came before it.
    """
    rng = np.random.default_rng(seed)
    late = round(min(LATE_S, seconds / 4) * SECOND)
    last = start + round(seconds * SECOND) - 2 * NETWORK_US
    end = last - late - NETWORK_US
    interval = round(min(interval_s * SECOND, (end - start) / 3))
    closing = {device.server.name: device for device in devices}
    air = [
        one
        for device in devices
        for one in _spoken(
            device,
            seed,
            range(start + int(rng.integers(0, interval)), end, interval),
            last if closing[device.server.name] is device else None,
        )
    ]
    making = _Making(kinds, rng, late)
    places: Counter[str] = Counter()
    for one in sorted(air, key=lambda one: (one.at, one.device.eui)):
        server = one.device.server.name
        making.add(one, None if one.at == last else _fault(places[server], one))
        places[server] += 1
    joins = [
        Delivery(due=one.at - 1, server=server.name, topic=topic, payload=payload)
        for one in air
        if one.frame.session and not one.frame.counter
        for server in [one.device.server]
        for topic, payload in [server.joined(one.device.eui, one.frame.session, one.at - 1)]
    ]
    return Plan(
        frames=tuple(making.frames),
        deliveries=tuple(sorted([*making.deliveries, *joins], key=lambda one: one.due)),
        lost_on_air=making.faults[FrameFault.LOST],
        faults={**making.faults, "rejoined": len(joins)},
    )


def _spoken(device: CityDevice, seed: int, times: range, last: int | None) -> Iterator[_Air]:
    """Yield what a device says; last: when it speaks once more, after all others."""
    rejoins_at = len(times) // 2 if int(device.eui[-6:], 16) % REJOINS_EVERY == 0 else len(times) + 1
    for n, at in enumerate((*times, *([] if last is None else [last]))):
        session, counter = (0, n) if n < rejoins_at else (1, n - rejoins_at)
        said = device.model.speak(np.random.default_rng([seed, int(device.eui, 16)]), n)
        frame = CityFrame(eui=device.eui, session=session, counter=counter, said=said)
        yield _Air(at=at, device=device, frame=frame, next_at=times[n + 1] if n + 1 < len(times) else None)


def _fault(place: int, one: _Air) -> FrameFault | None:
    turn, odd = divmod(place, EVERY)
    fault = None if odd else tuple(FrameFault)[turn % len(FrameFault)]
    return None if fault is FrameFault.OVERTAKEN and one.next_at is None else fault


class _Making:
    """A plan while it is made."""

    def __init__(self, kinds: Kinds, rng: np.random.Generator, late: int) -> None:
        self._kinds, self._rng, self._late = kinds, rng, late
        self.frames: list[PlannedFrame] = []
        self.deliveries: list[Delivery] = []
        self.faults: Counter[str] = Counter()

    def add(self, one: _Air, fault: FrameFault | None) -> None:
        """Add what becomes of a frame."""
        if fault is not None:
            self.faults[fault] += 1
        if fault is FrameFault.LOST:
            return
        heard_by = HEARD_BY.get(fault) if fault else None
        if heard_by is None:
            heard_by = some_right(self._rng)
        self.faults["several_gateways"] += len(heard_by) > 1
        heard = self._heard(one, heard_by, one.at + NETWORK_US)
        server = one.device.server
        self.frames.append(
            PlannedFrame(
                device=one.device,
                frame=one.frame,
                observed_at=instant_of(heard, one.at, server),
                values=stored_values(heard, self._kinds[one.device.model.kind]),
            )
        )
        due = heard.network_at
        if fault is FrameFault.OVERTAKEN and one.next_at is not None:
            due = one.next_at + 2 * NETWORK_US
        self._deliver(heard, due, server)
        if fault is FrameFault.REPEATED:
            self._deliver(heard, due + SECOND // 2, server, copy=True)
        late_by = LATE_BY.get(fault) if fault else None
        if late_by is not None:
            late = self._heard(one, [late_by], heard.network_at + self._late)
            self._deliver(late, late.network_at, server, copy=True)

    def _heard(self, one: _Air, by: Sequence[Gateway], network_at: int) -> HeardFrame:
        return HeardFrame(
            frame=one.frame, receptions=receptions(self._rng, by, one.at), network_at=network_at
        )

    def _deliver(self, heard: HeardFrame, due: int, server: NetworkServer, *, copy: bool = False) -> None:
        topic, payload = server.up(heard)
        self.deliveries.append(
            Delivery(
                due=due,
                server=server.name,
                topic=topic,
                payload=payload,
                frame=len(self.frames) - 1,
                copy=copy,
            )
        )


def instant_of(heard: HeardFrame, at: int, server: NetworkServer) -> int:
    """Return the instant that must be stored of a frame sent at `at`.

    A clock that is behind and alone cannot be told from a gateway that kept the frame: it is believed.
    """
    gateways = [one.gateway for one in heard.receptions]
    if server.own_clock:
        return heard.network_at
    right = next((gateway.clock(at) for gateway in gateways if gateway in RIGHT), None)
    if right is not None:
        return right
    return at + (BEHIND.ahead or 0) if BEHIND in gateways else heard.network_at


def stored_values(heard: HeardFrame, kind: Kind) -> dict[str, Value]:
    """Return the measurements of a frame, with how it was heard best where its kind keeps that."""
    best = max(heard.receptions, key=lambda one: one.rssi_dbm)
    radio: dict[str, Value] = {"rssi_dbm": best.rssi_dbm, "snr_db": best.snr_db}
    names = {measurement.name for measurement in kind.measurements}
    return {**{name: value for name, value in radio.items() if name in names}, **heard.frame.said.values}
