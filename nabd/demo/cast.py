"""The people of each simulated town: names, languages, and what they are there. Data alone.

They are made up, and so are their numbers and addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from devices.texts.languages import Language


class Occupation(StrEnum):
    """What somebody does in a simulated town; a supervisor is an operator on the later step of a route."""

    OPERATOR = "operator"
    TECHNICIAN = "technician"
    SUPERVISOR = "supervisor"
    ADMIN = "administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Townsperson:
    """One person. phone: with the country's number."""

    name: str
    display_name: str
    language: Language
    occupation: Occupation
    phone: str

    def email(self, municipality: str) -> str:
        """Return their address, of a domain that nobody can own."""
        return f"{self.name}@{municipality}.example"

    def topic(self, municipality: str) -> str:
        """Return their ntfy topic."""
        return f"{municipality}-{self.name}"


def _people(*rows: tuple[str, str, Language, Occupation, str]) -> tuple[Townsperson, ...]:
    return tuple(
        Townsperson(name=name, display_name=shown, language=language, occupation=what, phone=phone)
        for name, shown, language, what, phone in rows
    )


_OPERATOR, _TECHNICIAN = Occupation.OPERATOR, Occupation.TECHNICIAN
_SUPERVISOR, _ADMIN = Occupation.SUPERVISOR, Occupation.ADMIN

TOWNSPEOPLE: Mapping[str, tuple[Townsperson, ...]] = {
    "tripoli": _people(
        ("rana", "رنا الحلبي", "ar", _OPERATOR, "+961 70 555 101"),
        ("omar", "عمر المصري", "ar", _TECHNICIAN, "+961 70 555 102"),
        ("georges", "Georges Khoury", "fr", _TECHNICIAN, "+961 70 555 103"),
        ("maya", "Maya Haddad", "en", _SUPERVISOR, "+961 70 555 104"),
        ("nadim", "Nadim Karamé", "fr", _ADMIN, "+961 70 555 105"),
    ),
    "nablus": _people(
        ("lina", "لينا النابلسي", "ar", _OPERATOR, "+970 59 555 5101"),
        ("yazan", "يزن عبد الهادي", "ar", _TECHNICIAN, "+970 59 555 5102"),
        ("nadia", "Nadia Saleh", "fr", _TECHNICIAN, "+970 59 555 5103"),
        ("samer", "Samer Masri", "en", _SUPERVISOR, "+970 59 555 5104"),
        ("huda", "هدى طوقان", "ar", _ADMIN, "+970 59 555 5105"),
    ),
    "benghazi": _people(
        ("fatma", "فاطمة البرعصي", "ar", _OPERATOR, "+218 91 555 5101"),
        ("salem", "سالم العوامي", "ar", _TECHNICIAN, "+218 91 555 5102"),
        ("ines", "Inès Trabelsi", "fr", _TECHNICIAN, "+218 91 555 5103"),
        ("khaled", "Khaled Mansouri", "en", _SUPERVISOR, "+218 91 555 5104"),
        ("mariam", "مريم الفيتوري", "ar", _ADMIN, "+218 91 555 5105"),
    ),
    "chefchaouen": _people(
        ("salma", "Salma Bennani", "fr", _OPERATOR, "+212 661 555 101"),
        ("hamza", "حمزة الإدريسي", "ar", _TECHNICIAN, "+212 661 555 102"),
        ("youssef", "Youssef Alami", "fr", _TECHNICIAN, "+212 661 555 103"),
        ("imane", "Imane Chraibi", "en", _SUPERVISOR, "+212 661 555 104"),
        ("rachid", "رشيد العلمي", "ar", _ADMIN, "+212 661 555 105"),
    ),
}
"""By municipality: an operator, two technicians, a supervisor and an administrator each."""
