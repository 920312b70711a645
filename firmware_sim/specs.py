"""What describes a simulated device and the town it belongs to, before anything runs.

Pure declarations and the places we know; must not know how devices are built or run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from devices.time_zones import zone_named
from firmware_sim.physics.model import SECOND, Physics
from firmware_sim.physics.weather import Weather
from firmware_sim.plan import CAUSES, OPENING, Cause
from firmware_sim.publish_log import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A municipality: where it is, its time zone, its language, its days of rest, its title.

    quarters: their names by language, that in the middle first. sea: in which direction it lies, in degrees.
    """

    lat: float
    lon: float
    time_zone: str
    locale: str
    weekend: tuple[int, ...]
    prefix: str
    title: Mapping[str, str]
    quarters: tuple[Mapping[str, str], ...]
    sea: float | None = None


PLACES: Mapping[str, Place] = {
    "tripoli": Place(
        lat=34.4367,
        lon=35.8497,
        time_zone="Asia/Beirut",
        locale="ar",
        weekend=(6, 7),
        prefix="TRP",
        title={"en": "Tripoli", "fr": "Tripoli", "ar": "طرابلس"},
        quarters=(
            {"en": "Al-Tall", "fr": "El-Tall", "ar": "التل"},
            {"en": "Al-Mina", "fr": "El-Mina", "ar": "الميناء"},
            {"en": "Azmi", "fr": "Azmi", "ar": "عزمي"},
            {"en": "Abu Samra", "fr": "Abou Samra", "ar": "أبو سمراء"},
            {"en": "Al-Zahriyeh", "fr": "Zahrieh", "ar": "الزاهرية"},
            {"en": "Bab al-Ramel", "fr": "Bab el-Ramel", "ar": "باب الرمل"},
            {"en": "Al-Qobbeh", "fr": "Qobbé", "ar": "القبة"},
        ),
        sea=305.0,
    ),
    "nablus": Place(
        lat=32.2211,
        lon=35.2544,
        time_zone="Asia/Hebron",
        locale="ar",
        weekend=(5, 6),
        prefix="NBL",
        title={"en": "Nablus", "fr": "Naplouse", "ar": "نابلس"},
        quarters=(
            {"en": "Al-Yasmina", "fr": "Al-Yasmina", "ar": "الياسمينة"},
            {"en": "Al-Qaryun", "fr": "Al-Qaryoun", "ar": "القريون"},
            {"en": "Ras al-Ain", "fr": "Ras el-Aïn", "ar": "رأس العين"},
            {"en": "Rafidia", "fr": "Rafidia", "ar": "رفيديا"},
            {"en": "Al-Makhfiyeh", "fr": "Al-Makhfieh", "ar": "المخفية"},
            {"en": "Balata", "fr": "Balata", "ar": "بلاطة"},
        ),
    ),
    "benghazi": Place(
        lat=32.1167,
        lon=20.0667,
        time_zone="Africa/Tripoli",
        locale="ar",
        weekend=(5, 6),
        prefix="BEN",
        title={"en": "Benghazi", "fr": "Benghazi", "ar": "بنغازي"},
        quarters=(
            {"en": "Al-Sabri", "fr": "Al-Sabri", "ar": "الصابري"},
            {"en": "Sidi Hussein", "fr": "Sidi Hussein", "ar": "سيدي حسين"},
            {"en": "Al-Fuwayhat", "fr": "Al-Fouweihat", "ar": "الفويهات"},
            {"en": "Al-Berka", "fr": "Al-Berka", "ar": "البركة"},
            {"en": "Al-Salmani", "fr": "Al-Salmani", "ar": "السلماني"},
            {"en": "Al-Kish", "fr": "Al-Kish", "ar": "الكيش"},
        ),
        sea=320.0,
    ),
    "chefchaouen": Place(
        lat=35.1688,
        lon=-5.2636,
        time_zone="Africa/Casablanca",
        locale="fr",
        weekend=(6, 7),
        prefix="CHE",
        title={"en": "Chefchaouen", "fr": "Chefchaouen", "ar": "شفشاون"},
        quarters=(
            {"en": "Souika", "fr": "Souika", "ar": "السويقة"},
            {"en": "Rif al-Andalus", "fr": "Rif Al-Andalous", "ar": "ريف الأندلس"},
            {"en": "Al-Onsar", "fr": "El-Onsar", "ar": "العنصر"},
            {"en": "Sebbanin", "fr": "Sebbanine", "ar": "السبانين"},
            {"en": "Kharrazin", "fr": "Kharrazine", "ar": "الخرازين"},
            {"en": "Bab al-Ain", "fr": "Bab El-Aïn", "ar": "باب العين"},
        ),
    ),
}

GATEWAY = {"en": "Gateway", "fr": "Passerelle", "ar": "بوابة"}
CABINET = {"en": "Cabinet", "fr": "Armoire", "ar": "خزانة"}
CIRCUIT = {"en": "Circuit", "fr": "Circuit", "ar": "دارة"}
FIELDS = {"en": "Orchards", "fr": "Vergers", "ar": "البساتين"}
RING_ROAD = {"en": "Ring Road", "fr": "Rocade", "ar": "الطريق الدائري"}
BOULEVARD = {"en": "Outer Boulevard", "fr": "Boulevard extérieur", "ar": "الجادة الخارجية"}
CORNICHE = {"en": "Corniche", "fr": "Corniche", "ar": "الكورنيش"}
STREET = {"en": "{} Street", "fr": "Rue {}", "ar": "شارع {}"}
"""Names of what every town has: its drones' fields, roads around it and by the sea, a street of a quarter."""
AVENUES = (
    {"en": "Independence Avenue", "fr": "Avenue de l’Indépendance", "ar": "جادة الاستقلال"},
    {"en": "Market Street", "fr": "Rue du Marché", "ar": "شارع السوق"},
    {"en": "Palm Avenue", "fr": "Avenue des Palmiers", "ar": "جادة النخيل"},
    {"en": "School Street", "fr": "Rue des Écoles", "ar": "شارع المدارس"},
    {"en": "Garden Avenue", "fr": "Avenue des Jardins", "ar": "جادة الحدائق"},
    {"en": "Station Road", "fr": "Route de la Gare", "ar": "طريق المحطة"},
)
"""Streets from the middle outwards, between the quarters around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Electronics:
    """How a device's electronics behave on the wire. Probabilities are per reading.

    obeys_after_s: how long it takes to carry out a command. obeys: whether it does at all, or refuses.
    """

    clock: Clock = "right"
    clock_ahead_s: float = 0.0
    text_time: bool = False
    counted: bool = False
    resends: float = 0.0
    unknown_keys: float = 0.0
    malformed: float = 0.0
    bad: str | None = None
    firmware: str = "1.0.0"
    obeys_after_s: float = 0.0
    obeys: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDevice:
    """One device as the platform's registry should know it, and how it behaves.

    `physics` is None for structural devices (circuits, cabinets, gateways). `relay` names the gateway
    that publishes for it.
    """

    name: str
    kind: str
    municipality: str
    lat: float
    lon: float
    title: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    relay: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    electronics: Electronics = Electronics()
    physics: Callable[[], Physics] | None = None
    causes: tuple[Cause, ...] = ()
    opening: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TownContext:
    """What every builder of devices needs to know of the town."""

    municipality: str
    place: Place
    seed: int
    weather: Weather
    interval_cap_s: float | None
    local_hour: Callable[[int], tuple[int, float]]
    drone_hours: tuple[float, float] | None = None

    def name(self, noun: str, index: int) -> str:
        """Return the device id of the n-th of its sort."""
        return f"{self.place.prefix}-{noun}-{index + 1:03d}"

    def interval(self, every_s: float) -> dict[str, object]:
        """Return the interval attribute where the demo shortens the declared interval."""
        capped = self.interval_cap_s is not None and self.interval_cap_s < every_s
        return {"interval_s": self.interval_cap_s} if capped else {}


def opening(kind: str, index: int) -> tuple[tuple[str, float, float], ...]:
    """Return what happens early to the n-th device of a kind."""
    return OPENING.get((kind, index), ())


def causes(kind: str) -> tuple[Cause, ...]:
    """Return what may happen to a device of this kind by chance."""
    return CAUSES.get(kind, ())


def local_clock(time_zone: str) -> Callable[[int], tuple[int, float]]:
    """Return a function from an instant to the local weekday (Monday 0) and hour with its fraction."""
    zone = zone_named(time_zone)

    def local_hour(now: int) -> tuple[int, float]:
        at = datetime.fromtimestamp(now // SECOND, zone)
        return at.weekday(), at.hour + at.minute / 60 + at.second / 3600

    return local_hour
