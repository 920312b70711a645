"""Changes of people: added, changed, disabled, deleted. Each is one transaction.

A person who is disabled or deleted has no session and no link any more. A deleted person's principal stays,
so that what they did still has an author. The last administrator of all municipalities stays one. Must not
know HTTP or the command line.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from devices.instants import to_datetime
from devices.registry.errors import AlreadyExists, Conflict, Invalid
from devices.registry.registry import get_municipality
from devices.suggestion import meant
from devices.texts.languages import LANGUAGES
from people import contact_settings, passwords, recorded, sessions, tokens, unassigning
from people.contact_settings import EMAIL, PHONE
from people.identity import Grant
from people.person import Person, first_admin, get_person, locked_person
from people.recorded import state_of
from people.roles import Role
from store.audit import Actor

if TYPE_CHECKING:
    from store.connection import Connection

FIELDS = (
    "display_name", "language", "phone", "email", "channels", "calendar", "steps", "quiet_hours", "skills",
    "districts",
)  # fmt: skip
WORD = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""A kind of devices, or the code of a district."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """A person to add; see Person. Without a password they sign in by links alone."""

    name: str
    display_name: str = ""
    language: str = "en"
    phone: str | None = None
    email: str | None = None
    channels: Mapping[str, Any] = field(default_factory=dict)
    calendar: str | None = None
    steps: Sequence[Mapping[str, Any]] = ()
    quiet_hours: Sequence[Mapping[str, Any]] = ()
    skills: Sequence[str] = ()
    districts: Sequence[str] = ()
    password: str | None = None
    grants: Sequence[Grant] = ()


_INSERT = """
WITH made AS (
    INSERT INTO principal (kind, created_at) VALUES ('person', $2) RETURNING id
)
INSERT INTO person
    (id, name, created_at, updated_at, password_hash, display_name, language, phone, email, channels,
    calendar, steps, quiet_hours, skills, districts)
SELECT made.id, $1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
FROM made
RETURNING id
"""
_EXISTS = "SELECT EXISTS (SELECT FROM person WHERE name = $1)"


async def add_person(connection: Connection, new: NewPerson, now: int, *, by: Actor) -> Person:
    """Add a person.

    Raises:
        AlreadyExists: the name is taken.
        Invalid: a field is not acceptable.
        NotFound: a role is in no municipality that there is.
    """
    if not NAME.fullmatch(new.name):
        raise Invalid("name", "is 1 to 63 small letters of a to z, digits, '.', '_' and '-'; no sign first")
    values = {name: getattr(new, name) for name in FIELDS}
    values |= {name: list(values[name]) for name in ("steps", "quiet_hours", "skills", "districts")}
    _check(values)
    _check_contact(values, FIELDS)
    password_hash = None
    if new.password is not None:
        passwords.check_password(new.password, new.name)
        password_hash = await passwords.hashed(new.password)
    async with connection.transaction():
        await connection.execute("LOCK TABLE person IN SHARE ROW EXCLUSIVE MODE")
        if await connection.fetchval(_EXISTS, new.name):
            raise AlreadyExists("person", new.name, f"`nabd user edit {new.name}` changes them")
        person = await connection.fetchval(
            _INSERT, new.name, to_datetime(now), password_hash, *(values[name] for name in FIELDS)
        )
        await _set_grants(connection, person, new.grants)
        added = await get_person(connection, new.name)
        await recorded.record(connection, by, "add", added.id, None, state_of(added), now)
    return added


def _check(values: Mapping[str, Any]) -> None:
    """Refuse fields that are not acceptable.

    Raises:
        Invalid: with the first of them.
    """
    if len(values["display_name"]) > 100 or not values["display_name"].isprintable():
        raise Invalid("display_name", "has at most 100 characters")
    if values["language"] not in LANGUAGES:
        raise Invalid("language", meant(values["language"], LANGUAGES))
    if values["phone"] is not None and not PHONE.fullmatch(values["phone"]):
        raise Invalid("phone", "is digits, with the country's number first: +961 3 123 456")
    if values["email"] is not None and not EMAIL.fullmatch(values["email"]):
        raise Invalid("email", "is no address")
    if values["calendar"] is not None and not 1 <= len(values["calendar"]) <= 64:
        raise Invalid("calendar", "has 1 to 64 characters")
    for name in ("skills", "districts"):
        if len(values[name]) > 100 or not all(WORD.fullmatch(word) for word in values[name]):
            raise Invalid(name, "are at most 100 words of letters of a to z, digits, '_', '.', ':' and '-'")


def _check_contact(values: Mapping[str, Any], changed: Collection[str]) -> None:
    """Refuse ways to be told that are not acceptable; what was not changed stays as it is.

    Raises:
        Invalid: with the first of them.
    """
    if "channels" in changed:
        contact_settings.check_channels(values["channels"])
    if "steps" in changed:
        reachable = contact_settings.addresses(values["email"], values["phone"], values["channels"])
        contact_settings.check_steps(values["steps"], reachable)
    if "quiet_hours" in changed:
        contact_settings.check_quiet_hours(values["quiet_hours"])


_UPDATE = """
UPDATE person SET
    display_name = $2, language = $3, phone = $4, email = $5, channels = $6, calendar = $7,
    steps = $8, quiet_hours = $9, skills = $10, districts = $11, version = version + 1, updated_at = $12
WHERE id = $1
"""


async def edit_person(
    connection: Connection,
    name: str,
    changes: Mapping[str, Any],
    now: int,
    *,
    by: Actor,
    grants: Iterable[Grant] | None = None,
    version: int | None = None,
    last_admin_too: bool = False,
) -> Person:
    """Change the given fields of a person (those of FIELDS) and keep the others.

    Args:
        grants: all the roles they hold from now on; None keeps those they have. Where they differ, open
            sign-in links end, and tokens that the person made and could not make any more.
        version: the one that was read; None changes whatever there is.
        last_admin_too: take roles from the last administrator of all municipalities too: where somebody else
            than Nabd says who holds them. `nabd user first` then makes another one.

    Raises:
        NotFound: there is nobody of that name, or no such municipality.
        Invalid: a field is unknown or not acceptable.
        Conflict: they were changed since that version, or nobody would manage all municipalities.
    """
    for unknown in changes.keys() - set(FIELDS):
        raise Invalid(unknown, f"not a field of a person; {meant(unknown, FIELDS)}")
    async with connection.transaction():
        person = await locked_person(connection, name)
        if version not in (None, person.version):
            raise Conflict(f"{name} was changed since: it is version {person.version} now")
        values = {f: changes.get(f, getattr(person, f)) for f in FIELDS}
        _check(values)
        _check_contact(values, [f for f in FIELDS if values[f] != getattr(person, f)])
        await connection.execute(_UPDATE, person.id, *(values[f] for f in FIELDS), to_datetime(now))
        if grants is not None and (held := frozenset(grants)) != person.grants:
            await _change_grants(connection, person, held, now, by, last_admin_too=last_admin_too)
        edited = await get_person(connection, name)
        await recorded.record(connection, by, "edit", edited.id, state_of(person), state_of(edited), now)
    return edited


async def _change_grants(
    connection: Connection,
    person: Person,
    grants: frozenset[Grant],
    now: int,
    by: Actor,
    *,
    last_admin_too: bool,
) -> None:
    await unassigning.unassign_work(connection, person.id, grants, now, by=by)
    async with nullcontext() if last_admin_too else _an_admin_is_left(connection, person):
        await _set_grants(connection, person.id, grants)
    await connection.execute(_END_LINKS, person.id)
    await tokens.revoke_tokens_of(connection, person.id, now, by=by, grants=grants)


_LOCK_GRANTS = "LOCK TABLE membership IN SHARE ROW EXCLUSIVE MODE"
_ADMIN_OF_ALL = Grant(role=Role.ADMIN)


@asynccontextmanager
async def _an_admin_is_left(connection: Connection, person: Person) -> AsyncIterator[None]:
    """Make a change, unless it takes away the last person who manages all municipalities.

    Whoever takes away another one waits until the transaction ends.

    Raises:
        Conflict: it does.
    """
    await connection.execute(_LOCK_GRANTS)
    yield
    was_one = person.disabled_at is None and _ADMIN_OF_ALL in person.grants
    if was_one and await first_admin(connection) is None:
        raise Conflict(
            f"{person.name} is the last administrator of all municipalities: make somebody else one first"
            " (`nabd user edit NAME --role admin`)"
        )


_TAKE_GRANTS = "DELETE FROM membership WHERE person_id = $1"
_GRANT = """
INSERT INTO membership (person_id, municipality_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""


async def _set_grants(connection: Connection, person: int, grants: Iterable[Grant]) -> None:
    await connection.execute(_TAKE_GRANTS, person)
    for grant in grants:
        town = await get_municipality(connection, grant.municipality) if grant.municipality else None
        await connection.execute(_GRANT, person, town.id if town else None, grant.role)


_DISABLE = """
UPDATE person SET disabled_at = $2, version = version + 1, updated_at = $2
WHERE id = $1 AND disabled_at IS NULL
"""
_ENABLE = "UPDATE person SET disabled_at = NULL, version = version + 1, updated_at = $2 WHERE id = $1"
_END_LINKS = "DELETE FROM sign_in_link WHERE person_id = $1"


async def disable_person(
    connection: Connection, name: str, now: int, *, by: Actor, work_now: int | None = None
) -> Person:
    """Let a person in no more: sessions, links, and tokens that they made end. Repeats change nothing.

    Their open alerts and orders are nobody's. Tokens stay revoked when the person is let in again.

    Args:
        work_now: the clock of alerts and work, where it is another than that of people, `now`.

    Raises:
        NotFound: there is nobody of that name.
        Conflict: nobody would manage all municipalities.
    """
    async with connection.transaction():
        person = await locked_person(connection, name)
        await unassigning.unassign(connection, person.id, now if work_now is None else work_now, by=by)
        async with _an_admin_is_left(connection, person):
            await connection.execute(_DISABLE, person.id, to_datetime(now))
        await sessions.end_sessions(connection, person.id, by=by, now=now)
        await connection.execute(_END_LINKS, person.id)
        await tokens.revoke_tokens_of(connection, person.id, now, by=by)
        disabled = await get_person(connection, name)
        await recorded.record(connection, by, "disable", person.id, state_of(person), state_of(disabled), now)
    return disabled


async def enable_person(connection: Connection, name: str, now: int, *, by: Actor) -> Person:
    """Let a person in again.

    Raises:
        NotFound: there is nobody of that name.
    """
    async with connection.transaction():
        person = await locked_person(connection, name)
        await connection.execute(_ENABLE, person.id, to_datetime(now))
        enabled = await get_person(connection, name)
        await recorded.record(connection, by, "enable", person.id, state_of(person), state_of(enabled), now)
    return enabled


_DELETE = "DELETE FROM person WHERE id = $1"
# Addresses, and answers of services that repeat them. What waits is closed: nobody is there to be told.
_FORGET_MESSAGES = """
WITH forgotten AS (
    UPDATE delivery SET
        address = '', answer = NULL, state = CASE WHEN state = 'planned' THEN 'not-needed' ELSE state END
    WHERE person_id = $1
    RETURNING id
)

UPDATE delivery_attempt AS a SET answer = NULL FROM forgotten WHERE a.delivery_id = forgotten.id
"""


async def delete_person(
    connection: Connection, name: str, now: int, *, by: Actor, work_now: int | None = None
) -> None:
    """Forget a person; their principal stays, without a name. Tokens that they made end, as when disabled.

    Messages to them are forgotten too, but for that and when they were told.

    Args:
        work_now: as of disable_person.

    Raises:
        NotFound: there is nobody of that name.
        Conflict: nobody would manage all municipalities.
    """
    async with connection.transaction():
        person = await locked_person(connection, name)
        await unassigning.unassign(connection, person.id, now if work_now is None else work_now, by=by)
        await tokens.revoke_tokens_of(connection, person.id, now, by=by)
        async with _an_admin_is_left(connection, person):
            await connection.execute(_DELETE, person.id)
        await connection.execute(_FORGET_MESSAGES, person.id)
        await recorded.record(connection, by, "delete", person.id, state_of(person), None, now)


_NEXT_HASH = """
UPDATE person SET password_hash = $2, version = version + 1, updated_at = $3 WHERE id = $1
"""


async def set_password(
    connection: Connection, person: Person, password: str, now: int, *, by: Actor, keep: int | None = None
) -> None:
    """Give a person another password; their links and sessions end, but for session `keep`.

    Raises:
        Invalid: it can be guessed.
        Conflict: they sign in at a provider.
    """
    if person.oidc_issuer is not None:
        raise Conflict(f"{person.name} signs in at {person.oidc_issuer} and has no password here")
    passwords.check_password(password, person.name)
    stored = await passwords.hashed(password)
    async with connection.transaction():
        await connection.execute(_NEXT_HASH, person.id, stored, to_datetime(now))
        await sessions.end_sessions(connection, person.id, but=keep, by=by, now=now)
        await connection.execute(_END_LINKS, person.id)
        after = {"has_password": True, "password": "another"}
        await recorded.record(
            connection, by, "password", person.id, {"has_password": person.has_password}, after, now
        )
