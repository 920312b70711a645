"""A small town to look at: devices around Tripoli in Lebanon, a day of readings, a dozen alerts."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from alerts.transition import Severity
from devices.registry.registry import Device
from tests.integration.api import builders

LAT, LON = 34.4367, 35.8497
PLACES = [
    ("Al-Tall square", "ساحة التل"),
    ("Old souk", "السوق القديم"),
    ("El-Mina port", "مرفأ الميناء"),
    ("Clock tower", "برج الساعة"),
    ("Citadel gate", "باب القلعة"),
    ("Fair grounds", "معرض رشيد كرامي"),
    ("Corniche", "الكورنيش"),
    ("Azmi street", "شارع عزمي"),
]
STORIES: list[tuple[str, str, Severity, dict[str, str]]] = [
    (
        "bin",
        "bin-fire",
        Severity.CRITICAL,
        {
            "en": "Bin {device} is at 142 °C: it is probably burning",
            "fr": "Le bac {device} est à 142 °C : il brûle probablement",
            "ar": "حرارة الحاوية {device} بلغت ١٤٢ درجة: يُرجَّح أنها تحترق",
        },
    ),
    (
        "bin",
        "bin-overflow",
        Severity.MAJOR,
        {
            "en": "Bin {device} is 96 % full",
            "fr": "Le bac {device} est plein à 96 %",
            "ar": "الحاوية {device} ممتلئة بنسبة ٩٦٪",
        },
    ),
    (
        "light",
        "lamp-failure",
        Severity.MAJOR,
        {
            "en": "Street light {device} is asked to shine but draws 0.4 W",
            "fr": "Le lampadaire {device} devrait éclairer mais ne consomme que 0,4 W",
            "ar": "يُفترض أن تضيء الإنارة {device} لكنها لا تسحب سوى ٠٫٤ واط",
        },
    ),
    (
        "light",
        "light-day-burner",
        Severity.MINOR,
        {
            "en": "Street light {device} burns by day",
            "fr": "Le lampadaire {device} éclaire en plein jour",
            "ar": "الإنارة {device} مضاءة في وضح النهار",
        },
    ),
    (
        "drone",
        "drone-clogged-nozzle",
        Severity.WARNING,
        {
            "en": "Drone {device}: low flow at high pressure, a nozzle may be clogged",
            "fr": "Drone {device} : débit faible à haute pression, une buse est peut-être bouchée",
            "ar": "الطائرة {device}: تدفق ضعيف عند ضغط مرتفع، قد تكون إحدى الفوهات مسدودة",
        },
    ),
    (
        "light",
        "silent",
        Severity.MINOR,
        {
            "en": "{device} has been silent for 3 hours",
            "fr": "{device} est silencieux depuis 3 heures",
            "ar": "{device} صامت منذ ٣ ساعات",
        },
    ),
]


async def build(connection: asyncpg.Connection, now: datetime, devices: int = 60) -> list[Device]:
    """Build the town as it is at `now`."""
    chance = random.Random(7)
    town = [await _register(connection, i, chance) for i in range(devices)]
    for i, device in enumerate(town):
        rows = [_row(device.kind, now - timedelta(minutes=15 * n), i, chance) for n in range(96)]
        await builders.store(connection, device, rows[::-1])
        newest = {name: value for name, value in rows[0].items() if name != "observed_at"}
        await builders.report(connection, device, at=rows[0]["observed_at"], **newest)
    for n in range(12):
        kind, rule, severity, sentence = STORIES[n % len(STORIES)]
        mine = [one for one in town if one.kind == kind]
        device = mine[(n // len(STORIES) + n % 3) % len(mine)]
        at = now - timedelta(minutes=7 * n + 2)
        family = "silent" if rule == "silent" else "stream"
        await builders.fire(
            connection, device, rule=rule, family=family, severity=severity, at=at, summary=sentence
        )
    return town


async def _register(connection: asyncpg.Connection, i: int, chance: random.Random) -> Device:
    kind = "drone" if i % 20 == 19 else "light" if i % 5 in (1, 2) else "bin"
    place, name = PLACES[i % len(PLACES)]
    angle, far = chance.uniform(0, 2 * math.pi), 0.016 * math.sqrt(chance.random())
    return await builders.add(
        connection,
        f"{kind}-{i:04}",
        kind=kind,
        title=f"{name if i % 3 == 0 else place} {i}",
        lat=LAT + far * math.sin(angle) * 0.7,
        lon=LON + far * math.cos(angle),
    )


def _row(kind: str, at: datetime, i: int, chance: random.Random) -> dict[str, Any]:
    hour = at.hour + at.minute / 60
    if kind == "bin":
        fill = (i * 7 + hour * 3.2) % 100
        return {
            "observed_at": at,
            "fill_pct": fill,
            "distance_mm": 1500 - fill * 12,
            "temperature_c": 22 + 6 * math.sin(hour / 24 * 6.28) + chance.gauss(0, 0.3),
            "tilt_deg": abs(chance.gauss(1, 0.4)),
            "lid_open": False,
            "battery_v": 3.62 + chance.gauss(0, 0.004),
            "rssi_dbm": -97 + chance.gauss(0, 2),
        }
    if kind == "light":
        lit = hour > 18 or hour < 6
        dim = (100.0 if hour > 18 and hour < 23 else 60.0) if lit else 0.0
        return {
            "observed_at": at,
            "power_w": dim * 0.9 + chance.gauss(0, 0.5) if lit else 0.4,
            "voltage_v": 228 + chance.gauss(0, 2),
            "dim_pct": dim,
            "commanded_dim_pct": dim,
            "power_factor": 0.95 if lit else 0.3,
            "driver_temperature_c": 48 + chance.gauss(0, 1) if lit else 26.0,
        }
    return {
        "observed_at": at,
        "flight_phase": "docked",
        "battery_pct": 60 + 35 * math.sin(hour / 4),
        "battery_v": 44.0,
        "tank_l": 20 + 15 * math.sin(hour / 3),
        "flow_lpm": 2.1,
        "application_l_ha": 95 + chance.gauss(0, 5),
        "alt_m": 0.0,
    }
