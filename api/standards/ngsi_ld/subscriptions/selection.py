"""What of the changes of a device a subscription tells: its document made into conditions. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from alerts.overview.now import DeviceNow
from api.standards.ngsi_ld import context as names
from api.standards.ngsi_ld import geography, query
from api.standards.ngsi_ld.entity import Entity, Written, entity_of, write
from api.standards.ngsi_ld.patterns import BadPattern, Pattern
from api.standards.ngsi_ld.subscriptions.changes import DeviceChange
from api.standards.ngsi_ld.subscriptions.document import EntitySelector, PlaceQuery, SubscriptionDocument
from devices.kinds import Kinds
from devices.suggestion import meant

Condition = Callable[[Entity], bool]
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_ENCODED = re.compile("%[0-9A-Fa-f]{2}")


class BadSelection(ValueError):
    """What a subscription asks for cannot be understood; the text says which part and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a subscription tells.

    kinds, names: of devices that may be meant; names None: any. conditions: all must be true of an entity.
    watched: one of these attributes must have changed; None: any.
    """

    kinds: frozenset[str]
    names: frozenset[str] | None
    conditions: Sequence[Condition]
    watched: Collection[str] | None
    how: Written

    def written(
        self,
        declared: Kinds,
        devices: Sequence[tuple[DeviceNow, DeviceChange]],
        check: Callable[[], None] = lambda: None,
    ) -> list[dict[str, Any]]:
        """Return the entities to tell of, of devices and what changed of them, in their order.

        check: called before each, and raises where judging takes too long.
        """
        told = []
        for device, change in devices:
            check()
            entity = entity_of(declared, device)
            if self._is_watched(declared, device, entity, change) and all(c(entity) for c in self.conditions):
                told.append(write(entity, self.how))
        return told

    def _is_watched(self, declared: Kinds, device: DeviceNow, entity: Entity, change: DeviceChange) -> bool:
        if self.watched is None:
            return True
        kind = declared.get(device.kind)
        of_alerts = {one.name for one in kind.properties if one.alerts} if kind else set()
        for name in self.watched:
            attribute = entity.attributes.get(name)
            if attribute is None:
                continue
            if name in of_alerts:
                changed = change.alerted
            else:
                changed = change.registered if attribute.observed_at is None else change.heard
            if changed:
                return True
        return False


def selection_of(declared: Kinds, document: SubscriptionDocument, context: str) -> Selection:
    """Return what a subscription tells.

    Args:
        declared: all kinds.
        document: what it says.
        context: the address of our JSON-LD context.

    Raises:
        BadSelection: a part of it cannot be understood.
    """
    conditions: list[Condition] = []
    wish = document.notification
    try:
        kinds = frozenset(k for behind in names.kinds_of_type(declared).values() for k in behind)
        if document.entities is not None:
            selectors = [_selector(declared, one) for one in document.entities]
            kinds = frozenset().union(*(of_it for of_it, _ in selectors))
            conditions.append(lambda entity: any(fits(entity) for _, fits in selectors))
        if document.q is not None:
            asked = query.condition(_as_meant(document.q), lambda name: names.short_name(declared, name))
            conditions.append(lambda entity: asked(entity.attributes))
        if document.geo_q is not None:
            conditions.append(_place(document.geo_q))
    except (query.BadQuery, geography.BadGeoquery, BadPattern) as error:
        raise BadSelection(str(error)) from None
    return Selection(
        kinds=kinds,
        names=_names(document),
        conditions=conditions,
        watched=_attributes(declared, kinds, document.watched_attributes, "watchedAttributes"),
        how=Written(
            representation=wish.representation,
            attrs=_attributes(declared, kinds, wish.attributes, "notification.attributes"),
            context=context if wish.endpoint.accept == names.JSON_LD else None,
        ),
    )


def _names(document: SubscriptionDocument) -> frozenset[str] | None:
    """Return the names of devices that may be meant, where every selector has an id."""
    ids = [one.id for one in document.entities or [EntitySelector.model_construct()]]
    return None if None in ids else frozenset(named.rpartition(":")[2] for named in ids if named is not None)


def _as_meant(q: str) -> str:
    """Return a query as it reads: some clients percent-encode it here too, as for GET /entities.

    A percent sign in a text in quotes may be meant.
    """
    return unquote(q) if _ENCODED.search(_TEXT.sub("", q)) else q


def _selector(declared: Kinds, one: EntitySelector) -> tuple[frozenset[str], Condition]:
    """Return the kinds of devices that a selector may mean, and what it asks of an entity."""
    by_type = names.kinds_of_type(declared)
    if one.type is not None:
        name = names.short_name(declared, one.type)
        if name not in by_type:
            raise BadSelection(f"entities: no entity here has the type {one.type!r}; {meant(name, by_type)}")
        by_type = {name: by_type[name]}
    pattern = None if one.id_pattern is None else Pattern(one.id_pattern)

    def fits(entity: Entity) -> bool:
        return (
            entity.type in by_type
            and one.id in (None, entity.id)
            and (pattern is None or pattern.begins(entity.id))
        )

    return frozenset(kind for behind in by_type.values() for kind in behind), fits


def _place(asked: PlaceQuery) -> Condition:
    coordinates = asked.coordinates
    text = coordinates if isinstance(coordinates, str) else json.dumps(coordinates)
    condition = geography.condition(asked.georel, asked.geometry, text)

    def fits(entity: Entity) -> bool:
        where = entity.attributes.get("location")
        return where is not None and condition(where.value)

    return fits


def _attributes(
    declared: Kinds, kinds: frozenset[str], listed: Sequence[str] | None, member: str
) -> frozenset[str] | None:
    """Return the short names of attributes, each of which an entity that is meant may have."""
    if listed is None:
        return None
    by_type = names.attributes_of_type(declared)
    of_kinds = {
        name
        for entity_type, behind in names.kinds_of_type(declared).items()
        if not kinds.isdisjoint(behind)
        for name in by_type[entity_type]
    }
    found = frozenset(names.short_name(declared, one) for one in listed)
    for unknown in sorted(found - of_kinds):
        raise BadSelection(f"{member}: no entity that is meant has {unknown!r}; {meant(unknown, of_kinds)}")
    return found
