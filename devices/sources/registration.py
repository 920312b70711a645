"""Sources added, edited and removed, each change with its audit. Secrets are written here and never told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.profiles import Profiles
from devices.registry import registration
from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound
from devices.registry.registration import NewDevice
from devices.sources.listing import get_source
from devices.sources.signatures import new_secret, weakness
from devices.sources.source import (
    FIELDS,
    NATIVE,
    SECRET_LENGTH,
    NewSource,
    Source,
    Way,
    check,
    check_plain,
    default_topics,
)
from devices.suggestion import meant
from devices.wire.adapters.formats import FORMATS, FormatAway
from devices.wire.topics import GATEWAY
from store import audit
from store.audit import Actor
from store.connection import Connection

_MUNICIPALITY = "SELECT id FROM municipality WHERE name = $1"
_INSERT = """
INSERT INTO source (
    name, municipality_id, gateway_id, way, format, profile, profiles, url, topics, protocol, username,
    authority, enabled, created_at, changed_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
ON CONFLICT (name) DO NOTHING
RETURNING id
"""


async def add_source(
    connection: Connection,
    kinds: Kinds,
    new: NewSource,
    formats: Collection[str],
    now: Now,
    *,
    secret: str = "",
    profiles: Profiles | None = None,
    anywhere: bool = False,
    by: Actor,
) -> Source:
    """Add a source; a gateway that does not exist yet is registered and installed.

    Args:
        formats: the formats there are.
        secret: password at the broker, or what webhooks are signed with; empty: none.
        profiles: those there are, for what the source names; None: nobody looks.
        anywhere: whoever adds it manages the devices of every municipality.

    Raises:
        Invalid: a field is not acceptable.
        NotFound: there is no such municipality.
        AlreadyExists: the name is taken.
    """
    new = _completed(new)
    check(new, formats, anywhere=anywhere)
    check_plain(new)
    _check_installed(new)
    _check_profiles(profiles, _profiles_of(new))
    _check_secret(secret, new.way)
    async with connection.transaction():
        municipality = await connection.fetchval(_MUNICIPALITY, new.municipality)
        if municipality is None:
            raise NotFound("municipality", new.municipality, "`nabd municipality list` shows them")
        gateway = await _gateway(connection, kinds, new, now, by)
        made = await connection.fetchval(
            _INSERT, new.name, municipality, gateway, *_values(new), to_datetime(now())
        )
        if made is None:
            raise AlreadyExists("source", new.name, f"`nabd source edit {new.name}` changes it")
        await _keep_secret(connection, made, secret)
        source = await get_source(connection, new.name)
        after = _fields(source) | ({"secret": "new"} if secret else {})
        await _record(connection, source, "add", None, after, now, by)
    return source


_UPDATE = """
UPDATE source SET
    gateway_id = $2, way = $3, format = $4, profile = $5, profiles = $6, url = $7, topics = $8,
    protocol = $9, username = $10, authority = $11, enabled = $12,
    changed_at = greatest($13, changed_at + interval '1 microsecond')
WHERE id = $1
"""


async def edit_source(
    connection: Connection,
    kinds: Kinds,
    name: str,
    changes: Mapping[str, Any],
    formats: Collection[str],
    now: Now,
    *,
    secret: str | None = None,
    new_one: bool = False,
    version: int | None = None,
    profiles: Profiles | None = None,
    anywhere: bool = False,
    by: Actor,
) -> tuple[Source, str]:
    """Change the given fields (those of FIELDS, and `gateway`) and keep the others.

    Topics that are its format's follow a change of the format; without any it has those.

    Args:
        secret: None: the one it has stays, where it is for the same party; empty: it has none any more.
        new_one: make a secret, of a webhook; one that needs a secret from now on gets it in any case.
        version: the one that was read (see Source); None changes whatever there is.
        profiles, anywhere: as of `add_source`, for what changes.

    Returns:
        The source, and the secret that was made here; empty: none was.

    Raises:
        NotFound: there is no such source.
        Invalid: a field is unknown or not acceptable.
        Conflict: it was changed since that version.
    """
    for unknown in changes.keys() - {*FIELDS, "gateway"}:
        raise Invalid(unknown, f"not a field of a source; {meant(unknown, [*FIELDS, 'gateway'])}")
    async with connection.transaction():
        kept = await get_source(connection, name, lock=True)
        if version not in (None, kept.version):
            raise Conflict(f"{name} was changed since: read it again, then decide")
        told = {field: getattr(kept, field) for field in (*FIELDS, "gateway", "municipality")}
        if "topics" not in changes and tuple(kept.topics) == default_topics(kept):
            told["topics"] = ()
        edited = _completed(NewSource(name=name, **(told | dict(changes))))
        same_topics = (edited.url, tuple(edited.topics)) == (kept.url, tuple(kept.topics))
        check(edited, formats, anywhere=anywhere or same_topics)
        if (edited.format, edited.profile) != (kept.format, kept.profile):
            check_plain(edited)
            _check_installed(edited)
        _check_profiles(profiles, _profiles_of(edited) - _profiles_of(kept))
        made = _made(kept, edited, secret, new_one)
        secret = made or secret
        if secret is not None:
            _check_secret(secret, edited.way)
        elif kept.has_secret:
            _check_party(kept, edited)
        gateway = await _gateway(connection, kinds, edited, now, by)
        await connection.execute(_UPDATE, kept.id, gateway, *_values(edited), to_datetime(now()))
        if secret is not None:
            await _keep_secret(connection, kept.id, secret)
        source = await get_source(connection, name)
        before, after = audit.differing(_fields(kept), _fields(source))
        if secret is not None:
            before, after = {**before, "secret": "before"}, {**after, "secret": "new"}
        await _record(connection, source, "edit", before, after, now, by)
    return source, made


_DELETE = "DELETE FROM source WHERE id = $1"


async def remove_source(connection: Connection, name: str, now: Now, *, by: Actor) -> None:
    """Remove a source; its gateway, its devices and their readings stay.

    Raises:
        NotFound: there is no such source.
    """
    async with connection.transaction():
        source = await get_source(connection, name, lock=True)
        await connection.execute(_DELETE, source.id)
        await _record(connection, source, "remove", _fields(source), None, now, by)


_GATEWAY = """
SELECT device.id, device.kind, device.retired_at, municipality.name AS municipality
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE device.name = $1
"""


async def _gateway(connection: Connection, kinds: Kinds, new: NewSource, now: Now, by: Actor) -> int:
    """Return the number of the gateway as whom a source relays, registering one where there is none."""
    name = new.gateway or new.name
    row = await connection.fetchrow(_GATEWAY, name)
    if row is None:
        device = NewDevice(
            name=name, kind=GATEWAY, municipality=new.municipality, installed_at=to_datetime(now())
        )
        return (await registration.add_device(connection, kinds, device, now, by=by)).id
    if row["kind"] != GATEWAY:
        raise Invalid("gateway", f"{name!r} is a {row['kind']}; only a {GATEWAY} relays")
    if row["municipality"] != new.municipality:
        raise Invalid("gateway", f"{name!r} stands in {row['municipality']}, not in {new.municipality}")
    if row["retired_at"] is not None:
        raise Invalid("gateway", f"{name!r} is retired; `nabd device edit {name} --reinstate` puts it back")
    return int(row["id"])


_FORGET = "DELETE FROM source_secret WHERE source_id = $1"
_KEEP = """
INSERT INTO source_secret (source_id, secret) VALUES ($1, $2)
ON CONFLICT (source_id) DO UPDATE SET secret = excluded.secret
"""


async def _keep_secret(connection: Connection, source: int, secret: str) -> None:
    if secret:
        await connection.execute(_KEEP, source, secret)
    else:
        await connection.execute(_FORGET, source)


def _made(kept: Source, edited: NewSource, secret: str | None, wanted: bool) -> str:
    """Return a secret where one is to be made; empty: none is."""
    needs = needs_secret(edited.way, edited.format)
    if wanted and (not needs or secret is not None):
        raise Invalid("new_secret", "only a webhook's is made here, and none beside one that is given")
    missing = not kept.has_secret and secret is None and not needs_secret(kept.way, kept.format)
    return new_secret() if needs and (wanted or missing) else ""


def _check_secret(secret: str, way: Way) -> None:
    if len(secret) > SECRET_LENGTH or "\x00" in secret:
        raise Invalid("secret", f"at most {SECRET_LENGTH:,} characters")
    if secret and way is Way.WEBHOOK and (why := weakness(secret)):
        raise Invalid("secret", why)


_PARTY = ("way", "url", "authority", "username")
"""Who learns the secret: it was told for them, and for nobody else."""


def _check_party(kept: Source, edited: NewSource) -> None:
    """Refuse to hand a secret on: whoever changes its address need not know it."""
    for name in _PARTY:
        before = _plain(kept.authority) if name == "authority" else getattr(kept, name)
        if before != getattr(edited, name):
            raise Invalid(
                "secret",
                f"it was told for another {name}: give it anew, or an empty one for none",
            )


def _completed(new: NewSource) -> NewSource:
    """Return it with its format's topics where it has none, and certificates as they are compared."""
    new = replace(new, authority=_plain(new.authority))
    return new if new.topics or new.way is not Way.MQTT else replace(new, topics=default_topics(new))


def _plain(pem: str) -> str:
    """Return certificates without what editors and forms put around them."""
    return pem.replace("\r\n", "\n").strip()


def _check_installed(new: NewSource) -> None:
    """Refuse a format that nothing here can read; who hears it has what we have."""
    try:
        if new.format in FORMATS:
            FORMATS[new.format]()
    except FormatAway as missing:
        raise Invalid("format", str(missing)) from missing


def needs_secret(way: Way, format: str) -> bool:  # noqa: A002 - the word of people
    """Tell whether nothing comes of a source without a secret: devices of our own have theirs."""
    return way is Way.WEBHOOK and format != NATIVE


def _profiles_of(source: Source | NewSource) -> set[str]:
    return {source.profile, *source.profiles.values()}


def _check_profiles(profiles: Profiles | None, names: Collection[str]) -> None:
    if profiles is None:
        return
    for name in sorted(names):
        if name in profiles.waiting:
            kind = profiles.waiting[name]
            raise Invalid("profile", f"{name} waits for its kind: declare {kind} (docs/profiles.md)")
        if name and name not in profiles:
            raise Invalid("profile", f"{name!r} is no profile; {meant(name, profiles)}")


def _values(new: NewSource) -> tuple[Any, ...]:
    return (
        str(new.way),
        new.format,
        new.profile,
        dict(new.profiles),
        new.url,
        list(new.topics),
        new.protocol,
        new.username,
        new.authority,
        new.enabled,
    )


def _fields(source: Source) -> dict[str, Any]:
    fields = {name: getattr(source, name) for name in (*FIELDS, "gateway")}
    return fields | {"topics": list(source.topics), "profiles": dict(source.profiles)}


async def _record(
    connection: Connection,
    source: Source,
    verb: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: Now,
    by: Actor,
) -> None:
    await audit.record(
        connection,
        by=by,
        municipality=source.municipality_id,
        action=f"source.{verb}",
        subject=source.name,
        before=before,
        after=after,
        now=now(),
    )
