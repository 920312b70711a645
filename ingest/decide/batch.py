"""One batch, decided: every message of an intake resolved, decoded and accepted, or rejected with a reason.

Pure: a list of steps from bytes to what a transaction will store. Must not know the database or a broker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from devices.columns import MISSING
from devices.wire import Decoded, Decoder, Reason, Rejected, Relayed, Splitter, channels
from devices.wire.gateway import ENTRY
from devices.wire.packed import pack
from devices.wire.topics import Channel, Topic
from ingest.broker.intake import Intake
from ingest.decide.accept import Accepted, accept
from ingest.decide.clocks import Clocks, Learnt, Offsets
from ingest.decide.directory import Directory, Sources, TopicSource

_SPLITTER = Splitter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One rejection and whom it concerns: the element's device where a gateway relays, else the topic's."""

    device: str
    rejected: Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class KindGroup:
    """n payloads of one kind: whole messages, or the elements that gateways relayed.

    message: (n,) index in the intake of each payload. device_id: (n,). relayed: by index in `payloads`, the
    elements behind. by_hand: those of them that people entered.
    """

    message: NDArray[np.int32]
    payloads: Sequence[bytes]
    device_id: NDArray[np.int32]
    relayed: Mapping[int, Relayed] = field(default_factory=dict)
    by_hand: Sequence[int] = ()


@dataclass(slots=True)
class _Gathered:
    """A group in the making."""

    message: list[int] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    device_ids: list[int] = field(default_factory=list)
    relayed: dict[int, Relayed] = field(default_factory=dict)
    by_hand: list[int] = field(default_factory=list)

    def append(self, message: int, payload: bytes, device_id: int) -> None:
        """Add one payload."""
        self.message.append(message)
        self.payloads.append(payload)
        self.device_ids.append(device_id)

    def group(self) -> KindGroup:
        """Return it as it is now."""
        return KindGroup(
            message=np.array(self.message, dtype=np.int32),
            payloads=self.payloads,
            device_id=np.array(self.device_ids, dtype=np.int32),
            relayed=self.relayed,
            by_hand=self.by_hand,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Where the n decoded rows of one kind come from: (n,) index of the payload and position in it."""

    group: KindGroup
    decoder: Decoder
    payload: NDArray[np.int32]
    element: NDArray[np.int32]


@dataclass(slots=True, kw_only=True)
class Batch:
    """What is to be committed, and acknowledged afterwards."""

    intake: Intake
    sources: Sources
    learnt: Learnt = field(default_factory=list)
    accepted: dict[str, Accepted] = field(default_factory=dict)
    origins: dict[str, Origins] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    presences: dict[int, tuple[bool, int]] = field(default_factory=dict)
    responses: list[tuple[str, channels.Response]] = field(default_factory=list)
    reports: dict[int, channels.Report] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A device that speaks for the first time; `at`: when its first message was received, microseconds."""

    topic: Topic
    at: int


def unregistered(intake: Intake, directory: Directory) -> dict[str, Newcomer]:
    """Return the devices that speak for the first time where a municipality lets them register so."""
    found: dict[str, Newcomer] = {}
    sources = directory.sources(intake.topics)
    for message in np.flatnonzero(sources.plain_kind < 0).tolist():
        source = sources[message]
        if source.unregistered and source.topic and source.topic.channel is Channel.TELEMETRY:
            at = int(intake.received_at[message])
            found.setdefault(source.name, Newcomer(topic=source.topic, at=at))
    return found


def decide(
    intake: Intake,
    directory: Directory,
    decoders: Mapping[str, Decoder],
    offsets: Offsets,
    retention: int,
    splitter: Splitter = _SPLITTER,
) -> Batch:
    """Decide about every message of an intake."""
    clocks = Clocks(offsets)
    batch = Batch(intake=intake, sources=_sources(intake, directory), learnt=clocks.learnt)
    groups = _group(batch, directory, splitter)
    for kind, group in groups.items():
        batch.accepted[kind] = _accept_group(batch, kind, group, directory, decoders[kind], clocks, retention)
    return batch


def _sources(intake: Intake, directory: Directory) -> Sources:
    """Return where messages come from; those over a quota are refused, and not looked into."""
    sources = directory.sources(intake.topics)
    if not intake.over:
        return sources
    return sources.but(
        {
            message: structs.replace(
                sources[message], refusal=Reason.QUOTA, detail=why, plain=False, unregistered=False
            )
            for message, why in intake.over.items()
        }
    )


def _group(batch: Batch, directory: Directory, splitter: Splitter) -> dict[str, KindGroup]:
    """Sort messages by kind, relays and other channels apart."""
    sources = batch.sources
    others = np.flatnonzero(sources.plain_kind < 0).tolist()
    if any(sources[message].relays for message in others):
        return _group_in_order(batch, directory, splitter)
    _group_others(batch, others)
    return {
        kind: _group_plain(batch, rows)
        for place, kind in enumerate(directory.kinds)
        if len(rows := np.flatnonzero(sources.plain_kind == place))
    }


def _group_plain(batch: Batch, rows: NDArray[np.intp]) -> KindGroup:
    """Return the messages of one kind: what most batches consist of."""
    return KindGroup(
        message=rows.astype(np.int32),
        payloads=pack(batch.intake.payloads).take(rows),
        device_id=batch.sources.device_id[rows],
    )


def _group_in_order(batch: Batch, directory: Directory, splitter: Splitter) -> dict[str, KindGroup]:
    """Sort messages of which some are relayed, so that all rows of a kind stay in arrival order."""
    groups = {kind: _Gathered() for kind in directory.kinds}
    payloads = batch.intake.payloads
    every = list(batch.sources)
    relaying = [message for message, source in enumerate(every) if _relays(source)]
    found = splitter.split(relaying, [payloads[message] for message in relaying])
    split = dict(zip(relaying, found, strict=True))
    for message, source in enumerate(every):
        if source.plain:
            groups[source.kind].append(message, payloads[message], source.device_id)
        elif message in split:
            _group_relayed(batch, *split[message], source, directory, groups)
        else:
            _group_others(batch, [message])
    return {kind: gathered.group() for kind, gathered in groups.items() if gathered.message}


def _relays(source: TopicSource) -> bool:
    """Tell whether a message is to be taken apart."""
    return not source.plain and source.relays and source.refusal is None and _is_telemetry(source)


def _is_telemetry(source: TopicSource) -> bool:
    return source.topic is None or source.topic.channel is Channel.TELEMETRY


def _group_others(batch: Batch, messages: Iterable[int]) -> None:
    """Refuse messages that lead nowhere, and read those of other channels."""
    payloads = batch.intake.payloads
    for message in messages:
        source = batch.sources[message]
        if source.refusal is not None:
            rejected = Rejected(
                message=message,
                reason=source.refusal,
                detail=source.detail,
                payload=payloads[message],
                readings=int(_is_telemetry(source)),
            )
            batch.refused.append(Refused(device=source.name, rejected=rejected))
        else:
            _other_channel(batch, message, source)


def _group_relayed(
    batch: Batch,
    elements: list[Relayed],
    rejected: list[Rejected],
    gateway: TopicSource,
    directory: Directory,
    groups: Mapping[str, _Gathered],
) -> None:
    batch.refused += [Refused(device=gateway.name, rejected=r) for r in rejected]
    # What one message says of one device stands together: its clock is judged by its newest time.
    for element in sorted(elements, key=lambda e: e.device):
        if element.refused is not None:
            batch.refused.append(_not_understood(element, gateway, directory))
            continue
        source = directory.relayed(gateway, element.kind, element.device)
        if gateway.by_hand and source.refusal is None and not element.names_entry():
            detail = f"what people enter names its author by the number `{ENTRY}`"
            source = structs.replace(source, refusal=Reason.MALFORMED, detail=detail)
        if source.refusal is None:
            group = groups[element.kind]
            if source.name != element.device:
                element = structs.replace(element, device=source.name)
            group.relayed[len(group.message)] = element
            if gateway.by_hand:
                group.by_hand.append(len(group.message))
            group.append(element.message, element.payload, source.device_id)
        else:
            batch.refused.append(_refused_element(element, source))


def _refused_element(element: Relayed, source: TopicSource) -> Refused:
    """Return the rejection of an element by what it resolves to."""
    assert source.refusal is not None
    rejected = Rejected(
        message=element.message,
        reason=source.refusal,
        detail=source.detail,
        pointer=element.pointer,
        payload=element.raw,
    )
    return Refused(device=source.name, rejected=rejected)


def _not_understood(element: Relayed, gateway: TopicSource, directory: Directory) -> Refused:
    """Return the rejection of what a gateway could not read; a stranger's waits in quarantine."""
    name = directory.name_of(element.device) if element.device else gateway.name
    stranger = name not in directory.registry.by_name
    why = element.refused or "the gateway does not say why"
    others = directory.not_behind(gateway, element.device)
    if others is not None:
        return _refused_element(element, others)
    rejected = Rejected(
        message=element.message,
        reason=Reason.UNKNOWN_DEVICE if stranger else Reason.MALFORMED,
        detail=f"{name} is not registered; {why}" if stranger else why,
        pointer=element.pointer,
        payload=element.raw,
    )
    return Refused(device=name, rejected=rejected)


def _other_channel(batch: Batch, message: int, source: TopicSource) -> None:
    payload = batch.intake.payloads[message]
    assert source.topic is not None
    try:
        if source.topic.channel is Channel.RESPONSE:
            batch.responses.append((source.name, channels.response(payload)))
            return
        if source.topic.channel is Channel.REPORTED:
            batch.reports[source.device_id] = channels.report(payload)
            return
        online = channels.presence(payload)
    except channels.NotUnderstood as error:
        rejected = Rejected(
            message=message, reason=Reason.MALFORMED, detail=str(error), payload=payload, readings=0
        )
        batch.refused.append(Refused(device=source.name, rejected=rejected))
    else:
        if online is not None:
            batch.presences[source.device_id] = (online, int(batch.intake.received_at[message]))


def _accept_group(
    batch: Batch,
    kind: str,
    group: KindGroup,
    directory: Directory,
    decoder: Decoder,
    clocks: Clocks,
    retention: int,
) -> Accepted:
    decoded, rejected = decoder.decode(group.payloads)
    batch.refused += [_relocated(batch, group, r) for r in rejected]
    payload = decoded.message
    batch.origins[kind] = Origins(group=group, decoder=decoder, payload=payload, element=decoded.element)
    decoded.message = group.message[payload]
    relay = _numbers_of_gateways(group, decoded, payload)
    names = tuple({name for derived in decoder.kind.derived for name in derived.attributes})
    accepted = accept(
        decoder.kind,
        decoded,
        device_id=group.device_id[payload],
        received_at=batch.intake.received_at[decoded.message],
        clocks=clocks,
        retention=retention,
        attributes=directory.attributes(kind, names),
        merging=directory.merging(kind),
        relay=relay,
        told_by_us=np.isin(payload, group.by_hand) if group.by_hand else None,
    )
    batch.refused += [locate(batch, kind, r.row, r.reason, r.detail, r.member) for r in accepted.refusals]
    return accepted


def _numbers_of_gateways(
    group: KindGroup, decoded: Decoded, payload: NDArray[np.int32]
) -> NDArray[np.int64] | None:
    """Take the numbers that gateways wrote out of decoded rows and return them, as Columns has them."""
    numbered = [place for place, element in group.relayed.items() if element.numbered]
    if not numbered:
        return None
    rows = np.isin(payload, numbered)
    relay = np.where(rows[:, None], np.column_stack((decoded.boot, decoded.seq)), MISSING)
    decoded.boot, decoded.seq = (np.where(rows, MISSING, own) for own in (decoded.boot, decoded.seq))
    return relay


def _relocated(batch: Batch, group: KindGroup, rejected: Rejected) -> Refused:
    """Turn a decoder's rejection, which counts payloads, into one that counts messages."""
    message, relayed = int(group.message[rejected.message]), group.relayed.get(rejected.message)
    if relayed is not None:
        return Refused(device=relayed.device, rejected=relayed.located(rejected))
    return Refused(device=batch.sources[message].name, rejected=replace(rejected, message=message))


def locate(batch: Batch, kind: str, row: int, reason: Reason, detail: str, member: str = "") -> Refused:
    """Return the rejection of a decoded row, with the bytes and the place it came from."""
    origins = batch.origins[kind]
    payload, element = int(origins.payload[row]), int(origins.element[row])
    sent = origins.group.payloads[payload]
    rejected = origins.decoder.reject(payload, sent, element, reason, detail, member)
    return _relocated(batch, origins.group, rejected)
