"""Irrigation drone: position, battery, tank, flow and dose of one aircraft.

`gnss_fix` follows MAVLink GPS_FIX_TYPE (0..8); altitude is counted from the ground at home. Whether it flies
is told by its phase, and by height and speed where that says something else.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import (
    Argument,
    ArgumentType,
    Attribute,
    AttributeType,
    ChecklistItem,
    Command,
    Conclusion,
    Cycle,
    Derived,
    Kind,
    Learned,
    Measurement,
    ModelProperty,
    Panel,
    Reporting,
    ValueType,
)

Arrays = Mapping[str, NDArray[np.float64]]

L_PER_HA = 10_000.0 / 60.0
"""Litres per hectare of one litre per minute spread over one square metre per second."""


def _application_l_ha(values: Arrays, attributes: Arrays) -> NDArray[np.float64]:
    """Dose = 166.7 x flow / (speed x swath); unknown while hovering or with no swath."""
    swept = values["speed_mps"] * attributes["swath_m"]
    return L_PER_HA * values["flow_lpm"] / np.where(swept > 0.1, swept, np.nan)


FLYING = ("takeoff", "transit", "spraying", "returning", "landing")
PHASES = ("docked", *FLYING, "fault")

_FLYING = ", ".join(f'"{phase}"' for phase in FLYING)
CONCLUSIONS = (
    Conclusion(
        name="height_m",
        # Where nobody has said what it counts from, what it said on the ground is the ground.
        means=(
            "alt_m - known(attr(home_alt_m),"
            ' known(last(alt_m, flight_phase == "docked" and known(speed_mps < 0.5, true)), 0))'
        ),
        unit="m",
        label={"en": "Height above home", "fr": "Hauteur sur la base", "ar": "الارتفاع فوق القاعدة"},
    ),
    Conclusion(
        name="airborne",
        # A fault, a word that is not known, or none at all says nothing of where it is; five readings on the
        # ground do, for it hovers low over a field. `docked` does too, unless
        # it moves high up: on the road to its field a docked drone does one of both.
        means=(
            f"known(flight_phase in ({_FLYING}), false)"
            ' or known(flight_phase != "docked", true) and n_of(height_m > 1.5 or speed_mps > 2, 1, 5)'
            ' or known(flight_phase == "docked" and height_m > 10 and speed_mps > 3, false)'
        ),
        label={"en": "In the air", "fr": "En vol", "ar": "في الجو"},
    ),
    Conclusion(
        name="sprays",
        # Where the phase does not tell, the pump does.
        means=(
            'known(flight_phase == "spraying", false)'
            ' or known(flight_phase == "fault", true) and airborne'
            " and known(flow_lpm > 0.5 or pressure_bar > 1, false)"
        ),
        label={"en": "Spraying", "fr": "En pulvérisation", "ar": "ترش"},
    ),
)
"""What its rules conclude alike, so that no word of the device's own can switch them off."""

KIND = Kind(
    name="drone",
    title={"en": "Irrigation drone", "fr": "Drone d'irrigation", "ar": "طائرة ري"},
    icon="drone",
    headline="battery_pct",
    inspection=("battery_pct", "battery_v", "battery_cycles", "tank_l", "pressure_bar", "flow_lpm"),
    model="UnmannedAerialVehicle",
    model_home="https://smartdatamodels.org/dataModel.UnmannedAerialVehicle/",
    properties=(
        ModelProperty(name="elevation", of="alt_m", unit_code="MTR"),
        ModelProperty(name="groundSpeed", of="speed_mps", unit_code="MTS"),
        ModelProperty(
            name="flightStatus",
            of="flight_phase",
            words={
                "docked": "stop",
                "takeoff": "takeoff",
                "transit": "flight",
                "spraying": "flight",
                "returning": "flight",
                "landing": "land",
            },
        ),
        ModelProperty(
            name="workStatus",
            of="flight_phase",
            words={
                "docked": "stop",
                "takeoff": "prepare",
                "transit": "prepare",
                "spraying": "work",
                "returning": "finish",
                "landing": "finish",
            },
        ),
    ),
    verify_within="1d",
    measurements=(
        Measurement(
            name="lat",
            bit=8,
            unit="deg",
            low=-90,
            high=90,
            label={"en": "Latitude", "fr": "Latitude", "ar": "خط العرض"},
        ),
        Measurement(
            name="lon",
            bit=9,
            unit="deg",
            low=-180,
            high=180,
            label={"en": "Longitude", "fr": "Longitude", "ar": "خط الطول"},
        ),
        Measurement(
            name="alt_m",
            bit=10,
            unit="m",
            # Whoever counts from sea level is not out of range.
            low=-500,
            high=9000,
            reference={
                "en": "above the ground at home; from sea level: set home_alt_m",
                "fr": "au-dessus du sol à la base ; depuis le niveau de la mer : indiquez home_alt_m",
                "ar": "فوق الأرض عند القاعدة؛ إن كان من مستوى البحر فاضبط home_alt_m",
            },
            label={"en": "Altitude", "fr": "Altitude", "ar": "الارتفاع"},
        ),
        Measurement(
            name="heading_deg",
            bit=11,
            unit="deg",
            low=0,
            high=360,
            circular=True,
            error_codes=(655.35,),
            label={"en": "Heading", "fr": "Cap", "ar": "الاتجاه"},
        ),
        Measurement(
            name="speed_mps",
            bit=12,
            unit="m/s",
            low=0,
            high=40,
            label={"en": "Speed", "fr": "Vitesse", "ar": "السرعة"},
        ),
        Measurement(
            name="flight_phase",
            bit=13,
            type=ValueType.TEXT,
            choices=PHASES,
            cycle=Cycle(into=FLYING, label={"en": "Flights", "fr": "Vols", "ar": "الرحلات"}),
            label={"en": "Phase", "fr": "Phase", "ar": "مرحلة الطيران"},
        ),
        Measurement(
            name="mission",
            bit=14,
            type=ValueType.TEXT,
            label={"en": "Mission", "fr": "Mission", "ar": "المهمة"},
        ),
        Measurement(
            name="zone", bit=15, type=ValueType.TEXT, label={"en": "Zone", "fr": "Zone", "ar": "المنطقة"}
        ),
        Measurement(
            name="battery_pct",
            bit=16,
            unit="%",
            low=0,
            high=100,
            error_codes=(-1, 255),
            label={"en": "Battery", "fr": "Batterie", "ar": "البطارية"},
        ),
        Measurement(
            name="battery_v",
            bit=17,
            unit="V",
            low=0,
            high=80,
            codes=(65.535,),
            leap=10,
            label={"en": "Battery voltage", "fr": "Tension batterie", "ar": "جهد البطارية"},
        ),
        Measurement(
            name="battery_temperature_c",
            bit=18,
            unit="Cel",
            low=-20,
            high=100,
            error_codes=(127, 255, 327.67),
            codes=(85,),
            leap=20,
            label={"en": "Battery temperature", "fr": "Température batterie", "ar": "حرارة البطارية"},
        ),
        Measurement(
            name="cell_spread_v",
            bit=19,
            unit="V",
            low=0,
            high=2,
            label={"en": "Cell spread", "fr": "Écart des cellules", "ar": "تفاوت الخلايا"},
        ),
        Measurement(
            name="battery_cycles",
            bit=20,
            unit="1",
            low=0,
            counter=True,
            label={"en": "Battery cycles", "fr": "Cycles batterie", "ar": "دورات البطارية"},
        ),
        Measurement(
            name="tank_l",
            bit=21,
            unit="L",
            low=0,
            high=100,
            label={"en": "Tank", "fr": "Réservoir", "ar": "الخزان"},
        ),
        Measurement(
            name="flow_lpm",
            bit=22,
            unit="L/min",
            low=0,
            high=40,
            label={"en": "Flow", "fr": "Débit", "ar": "التدفق"},
        ),
        Measurement(
            name="pressure_bar",
            bit=23,
            unit="bar",
            low=0,
            high=10,
            label={"en": "Pressure", "fr": "Pression", "ar": "الضغط"},
        ),
        Measurement(
            name="application_l_ha",
            bit=24,
            unit="L/har",
            low=0,
            high=500,
            label={"en": "Dose", "fr": "Dose", "ar": "الجرعة"},
        ),
        Measurement(
            name="gnss_fix",
            bit=25,
            unit="1",
            low=0,
            high=8,
            label={"en": "GNSS fix", "fr": "Fix GNSS", "ar": "تثبيت الموقع"},
        ),
        Measurement(
            name="satellites",
            bit=26,
            unit="1",
            low=0,
            high=60,
            error_codes=(255,),
            label={"en": "Satellites", "fr": "Satellites", "ar": "الأقمار"},
        ),
        Measurement(
            name="wind_mps",
            bit=27,
            unit="m/s",
            low=0,
            high=75,
            label={"en": "Wind", "fr": "Vent", "ar": "الرياح"},
        ),
        Measurement(
            name="vibration_mps2",
            bit=28,
            unit="m/s2",
            low=0,
            high=200,
            label={"en": "Vibration", "fr": "Vibration", "ar": "الاهتزاز"},
        ),
        Measurement(
            name="rssi_dbm",
            bit=29,
            unit="dB[mW]",
            low=-150,
            high=0,
            of_link=True,
            label={"en": "Signal", "fr": "Signal", "ar": "الإشارة"},
        ),
    ),
    derived=(
        Derived(
            measurement="application_l_ha",
            inputs=("flow_lpm", "speed_mps"),
            attributes=("swath_m",),
            compute=_application_l_ha,
        ),
    ),
    reporting=(
        Reporting(
            state="airborne",
            every_s=1,
            measurement="flight_phase",
            one_of=FLYING,
        ),
        Reporting(state="docked", every_s=60, measurement="flight_phase", one_of=("docked",)),
        # A fault, a word that is not known, or none: height and speed tell.
        Reporting(state="airborne", every_s=1, measurement="speed_mps", at_least=2),
        Reporting(state="airborne", every_s=1, measurement="alt_m", at_least=10, above="home_alt_m"),
        Reporting(state="docked", every_s=60),
    ),
    attributes=(
        Attribute(
            name="home_lat",
            unit="deg",
            label={"en": "Home latitude", "fr": "Latitude base", "ar": "خط عرض القاعدة"},
        ),
        Attribute(
            name="home_lon",
            unit="deg",
            label={"en": "Home longitude", "fr": "Longitude base", "ar": "خط طول القاعدة"},
        ),
        Attribute(
            name="home_alt_m",
            unit="m",
            learned=Learned(measurement="alt_m", text="flight_phase", one_of=("docked",)),
            label={"en": "Home altitude", "fr": "Altitude base", "ar": "ارتفاع القاعدة"},
        ),
        Attribute(
            name="swath_m",
            unit="m",
            default=5.0,
            label={"en": "Swath", "fr": "Largeur traitée", "ar": "عرض الرش"},
        ),
        Attribute(
            name="tank_capacity_l",
            unit="L",
            default=40.0,
            label={"en": "Tank capacity", "fr": "Capacité du réservoir", "ar": "سعة الخزان"},
        ),
        Attribute(
            name="max_altitude_m",
            unit="m",
            default=30.0,
            label={"en": "Maximum altitude", "fr": "Altitude maximale", "ar": "أقصى ارتفاع"},
        ),
        Attribute(
            name="geofence",
            type=AttributeType.POLYGON,
            holds_home=True,
            label={"en": "Geofence", "fr": "Zone autorisée", "ar": "النطاق المسموح"},
        ),
        Attribute(
            name="zone_area",
            type=AttributeType.POLYGON,
            label={"en": "Zone to spray", "fr": "Zone à traiter", "ar": "منطقة الرش"},
        ),
        Attribute(
            name="target_l_ha",
            unit="L/har",
            default=100.0,
            label={"en": "Target dose", "fr": "Dose visée", "ar": "الجرعة المطلوبة"},
        ),
    ),
    conclusions=CONCLUSIONS,
    panels=(
        Panel(title={"en": "Battery", "fr": "Batterie", "ar": "البطارية"}, measurements=("battery_pct",)),
        Panel(title={"en": "Tank", "fr": "Réservoir", "ar": "الخزان"}, measurements=("tank_l",)),
        Panel(title={"en": "Flow", "fr": "Débit", "ar": "التدفق"}, measurements=("flow_lpm",)),
        Panel(title={"en": "Dose", "fr": "Dose", "ar": "الجرعة"}, measurements=("application_l_ha",)),
        Panel(title={"en": "Altitude", "fr": "Altitude", "ar": "الارتفاع"}, measurements=("alt_m",)),
    ),
    commands=(
        Command(
            name="return_home", label={"en": "Return home", "fr": "Retour base", "ar": "العودة إلى القاعدة"}
        ),
        Command(name="hold", label={"en": "Hold", "fr": "Stationnaire", "ar": "ثبات"}),
        Command(
            name="upload_mission",
            arguments=(
                Argument(
                    name="mission",
                    type=ArgumentType.TEXT,
                    label={"en": "Mission", "fr": "Mission", "ar": "المهمة"},
                ),
                # Each zone is {"name", "polygon": GeoJSON Polygon, "target_l_ha"}.
                Argument(
                    name="zones",
                    type=ArgumentType.LIST,
                    label={"en": "Zones", "fr": "Zones", "ar": "المناطق"},
                ),
            ),
            label={"en": "Upload mission", "fr": "Charger la mission", "ar": "تحميل المهمة"},
        ),
    ),
    configuration=(
        Argument(
            name="return_below_pct",
            unit="%",
            low=15,
            high=60,
            label={
                "en": "Battery at which it returns",
                "fr": "Batterie à laquelle il revient",
                "ar": "شحن البطارية الذي تعود عنده",
            },
        ),
    ),
    checklist=(
        ChecklistItem(
            name="propellers_whole",
            label={
                "en": "All propellers are whole",
                "fr": "Toutes les hélices sont intactes",
                "ar": "جميع المراوح سليمة",
            },
        ),
        ChecklistItem(
            name="battery_sound",
            label={
                "en": "The battery is not swollen",
                "fr": "La batterie n'est pas gonflée",
                "ar": "البطارية غير منتفخة",
            },
        ),
        ChecklistItem(
            name="tank_tight",
            label={
                "en": "Tank and nozzles are tight",
                "fr": "Cuve et buses sont étanches",
                "ar": "الخزان والفوّهات محكمة",
            },
        ),
        ChecklistItem(
            name="flight_tested",
            label={
                "en": "It hovered in a test flight",
                "fr": "Un vol d'essai stationnaire est réussi",
                "ar": "نجح اختبار التحليق الثابت",
            },
        ),
    ),
)
