"""What each process's account of the database may do: one table, from which all rights are made.

Pure. A process has the account nabd_<process>; `nabd migrate` has nabd_owner, which owns all but readings.
Letters are PostgreSQL's own: a INSERT, r SELECT, w UPDATE, d DELETE, U USAGE; and k: lock rows, by a right to
update their `id`, which nothing can change; s: say how something stands, and nothing else of it. `nabd sweep`
makes and drops partitions of readings, and so owns their tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from store.tables import Resolution, Table


class Account(StrEnum):
    """Whose account; `OWNER` is that of `nabd migrate`, `API` also that of commands."""

    OWNER = "owner"
    INGEST = "ingest"
    SWEEP = "sweep"
    NOTIFY = "notify"
    API = "api"
    ANNOTATE = "annotate"
    BRIDGE = "bridge"

    @property
    def role(self) -> str:
        """Its name in the database."""
        return f"nabd_{self}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TableGrant:
    """One right on one relation; `column` where it is on that column alone."""

    relation: str
    role: str
    privilege: str
    column: str = ""


PRIVILEGES = {"a": "INSERT", "r": "SELECT", "w": "UPDATE", "d": "DELETE", "U": "USAGE"}
OWN = "own"
COLUMNS = {"k": ("id",), "s": ("status", "detail", "tries", "due_at", "updated_at", "source_id")}
"""Letters that give a right to update some columns."""

_TABLE = """
                    ingest   sweep    notify   api      annotate  bridge
(readings)          arw      own      r        r        -        -
(rollups)           -        own      r        r        -        -
alert_event_id      U        U        -        U        -        -
audit_id_seq        U        U        U        U        -        -
alert               arw      arwd     rk       arw      r        -
alert_day           -        arw      r        r        -        -
alert_hold          -        -        arwd     arwd     -        -
alert_note          a        ard      rw       ar       r        -
annotation_place    -        -        -        r        arw      -
answer_offer        -        rd       arw      rw       -        -
audit               a        ard      a        ar       -        -
audit_chain         arw      arw      arw      arw      -        -
backup              -        -        -        r        -        -
banned_device       r        r        -        ard      -        r
calendar_day        -        -        r        arwd     -        -
channel_state       -        -        arw      r        -        -
clock_offset        ard      -        -        rd       -        -
command             rw       arwd     -        arw      -        rs
command_request     -        -        -        arw      -        -
database_reader     -        -        -        -        -        -
delivery            -        rd       arw      rw       -        -
delivery_alert      -        rd       arw      r        -        -
delivery_attempt    -        rd       arwd     rw       -        -
device              arw      r        r        arw      r        r
device_config       arw      r        -        arw      -        -
device_credential   -        rw       -        arw      -        -
device_move         -        -        -        ar       -        -
device_note         -        -        -        ar       -        -
device_pace         arwd     -        -        r        -        -
downlink_topic      -        -        -        -        -        arw
downlink_way        -        -        -        r        -        r
escalation          -        rd       arw      r        -        -
external_alert      -        rwd      -        arwd     -        -
firmware_image      -        r        -        ard      -        -
forecast            -        arw      -        r        -        -
ground_feature      r        r        r        arwd     r        r
hand_reading        -        rwd      -        arw      -        -
hangs_on            r        r        -        r        -        r
hardware            ar       r        r        arw      -        r
idempotency_key     -        rd       -        arw      -        -
latest              arw      r        r        r        r        -
ledger              ar       rd       -        r        -        -
ledger_day          -        arw      -        r        -        -
ledger_day_outcome  -        a        -        r        -        -
ledger_device       a        rd       -        r        -        -
ledger_total        -        arw      -        r        -        -
maintenance_plan    r        rw       -        arw      -        -
maintenance_window  r        ard      -        arwd     -        -
membership          -        -        r        arwd     -        -
municipality        rk       r        r        arw      r        r
nabd_holder         arwd     arwd     arwd     arwd     arwd     arwd
nabd_migration      r        r        r        r        r        r
nabd_schema         r        r        r        r        r        r
named_principal     r        r        r        r        r        -
ngsi_secret         -        -        r        arwd     -        -
ngsi_subscription   -        rd       rw       arwd     -        -
notifier            -        r        rw       r        -        -
oidc_person         -        -        r        arw      -        -
oidc_sign_in        -        -        -        ard      -        -
on_call_override    -        -        r        ard      -        -
on_call_schedule    -        -        r        arwd     -        -
open_data           -        -        -        arwd     -        -
person              -        r        r        arwd     r        -
presence            arw      r        -        rd       -        -
principal           -        -        -        arw      arw      -
push_subscription   -        -        rwd      arwd     -        -
ramadan_dates       -        -        r        arwd     -        -
readable_view       -        -        -        -        -        -
refused_sign_in     -        arwd     -        r        -        -
rejection           arw      rd       r        rw       -        -
relay               ard      r        r        ard      -        r
retention_run       -        arw      -        r        -        -
rollup_backfill     -        arw      -        r        -        -
rollup_mark         a        rd       -        r        -        -
rollup_turn         -        rw       -        -        -        -
rollup_zone         -        arw      -        r        -        -
rollout             -        rw       -        arw      -        -
rollout_device      -        rw       -        arw      -        -
route_document      -        -        r        arw      -        -
rule                rw       rw       r        arw      r        -
rule_change         -        -        -        ar       -        -
rule_checkpoint     arw      -        -        -        -        -
rule_shadow         rw       rw       -        arw      -        -
session             -        rd       r        arwd     -        -
shadow_transition   ar       rd       -        rd       -        -
shard               rw       rw       -        rw       -        r
sign_in_link        -        -        -        ard      -        -
signing_key         -        -        ar       ar       -        -
silence             -        -        r        arw      -        -
sla_target          -        -        r        arwd     -        -
source              -        r        -        arwd     -        r
source_frame        -        -        -        arwd     -        arwd
source_secret       -        -        -        arwd     -        r
source_state        -        -        -        arw      -        arw
subscription        -        -        rw       ard      -        -
sweep_pending       -        arwd     -        -        -        -
sweep_run           -        arw      -        r        -        -
team                -        -        rk       arwd     -        -
team_member         -        -        r        ard      -        -
token               -        -        r        arw      -        -
transition          a        ard      rw       ar       r        -
work_by_rule        -        -        r        arwd     -        -
work_calendar       -        -        r        arw      -        -
work_event          -        -        arw      ar       -        -
work_order          -        r        arw      arw      r        -
work_order_alert    -        rd       ar       ar       r        -
work_photo          -        r        -        ar       -        -
work_plan           -        -        r        arw      -        -
work_plan_device    -        -        arw      -        -        -
work_report         -        -        -        ar       -        -
"""


def grants_on(tables: Sequence[Table]) -> Iterator[TableGrant]:
    """Yield every right that an account is to have, on these tables of readings and on all others."""
    for relation, account, letters in _entries(tables):
        if letters == OWN:
            continue
        for letter in letters:
            columns = COLUMNS.get(letter, ("",))
            privilege = PRIVILEGES.get(letter, "UPDATE")
            for column in columns:
                yield TableGrant(relation=relation, role=account.role, privilege=privilege, column=column)


def known(tables: Sequence[Table]) -> set[str]:
    """Return every relation that has a line, also where nobody but the owner may anything."""
    return {relation for relation, _, _ in _entries(tables)}


def owned(tables: Sequence[Table]) -> dict[str, Account]:
    """Return who owns the tables that do not belong to the owner of all others, by name."""
    return {relation: account for relation, account, letters in _entries(tables) if letters == OWN}


def _entries(tables: Sequence[Table]) -> Iterator[tuple[str, Account, str]]:
    heading, *lines = _TABLE.strip("\n").splitlines()
    accounts = [Account(name) for name in heading.split()]
    families = {
        "(readings)": [table.name for table in tables if table.resolution is Resolution.READING],
        "(rollups)": [table.name for table in tables if table.resolution is not Resolution.READING],
    }
    for line in lines:
        relation, *letters = line.split()
        for account, said in zip(accounts, letters, strict=True):
            yield from ((name, account, said.strip("-")) for name in families.get(relation, [relation]))
