"""Smart bin: fill level, temperature, tilt and lid of a waste container.

Names follow the Smart Data Model WasteContainer where one exists.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import (
    Attribute,
    AttributeType,
    ChecklistItem,
    Command,
    Cycle,
    Derived,
    Kind,
    Measurement,
    ModelProperty,
    Panel,
    Reporting,
    ValueType,
)

Arrays = Mapping[str, NDArray[np.float64]]


def _fill_pct(values: Arrays, attributes: Arrays) -> NDArray[np.float64]:
    """Fill from the distance to the waste: (install height - distance) / usable depth, clipped to 0..100."""
    depth = attributes["usable_depth_mm"]
    depth = np.where(depth > 0, depth, np.nan)
    fill = 100.0 * (attributes["install_height_mm"] - values["distance_mm"]) / depth
    return np.clip(fill, 0.0, 100.0)


KIND = Kind(
    name="bin",
    title={"en": "Smart bin", "fr": "Bac connecté", "ar": "حاوية ذكية"},
    icon="bin",
    headline="fill_pct",
    public=("fill_pct", "temperature_c"),
    inspection=("fill_pct", "distance_mm", "temperature_c", "weight_kg", "lid_open", "battery_v"),
    model="WasteContainer",
    model_home="https://smartdatamodels.org/dataModel.WasteManagement/",
    properties=(
        ModelProperty(name="fillingLevel", of="fill_pct", factor=0.01, unit_code="C62"),
        ModelProperty(name="temperature", of="temperature_c", unit_code="CEL"),
        ModelProperty(name="methaneConcentration", of="methane_ppm", unit_code="59"),
        ModelProperty(name="cargoWeight", of="weight_kg", unit_code="KGM"),
        # `mixed` is what this model has no word for.
        ModelProperty(
            name="storedWasteKind",
            of="stored_waste_kind",
            words={
                word: word
                for word in (
                    "organic",
                    "inorganic",
                    "glass",
                    "oil",
                    "plastic",
                    "metal",
                    "paper",
                    "batteries",
                    "electronics",
                    "hazardous",
                    "other",
                )
            }
            | {"mixed": "other"},
        ),
        # A lid that is open for a moment is none that was left open: it stays a measurement of ours.
        ModelProperty(
            name="status",
            alerts={"bin-fire": "burning", "bin-tipped": "dropped", "bin-moved": "moved"},
            otherwise="ok",
        ),
    ),
    measurements=(
        # 65535 is the usual "no echo" code of ultrasonic sensors; 0 is an echo lost in the blind zone.
        Measurement(
            name="distance_mm",
            bit=8,
            unit="mm",
            low=0,
            high=6000,
            error_codes=(0, 65535),
            label={"en": "Distance", "fr": "Distance", "ar": "المسافة"},
        ),
        Measurement(
            name="fill_pct",
            bit=9,
            unit="%",
            low=0,
            high=100,
            error_codes=(255,),
            # Waste settles by a few points; whoever empties leaves less than half.
            cycle=Cycle(falls_by=30, label={"en": "Emptied", "fr": "Vidé", "ar": "أُفرغت"}),
            label={"en": "Fill", "fr": "Remplissage", "ar": "الامتلاء"},
        ),
        # High enough that the temperature of a burning bin is not suspect.
        Measurement(
            name="temperature_c",
            bit=10,
            unit="Cel",
            low=-40,
            high=1000,
            error_codes=(-127, 3276.7, 6553.5),
            codes=(85, 127, 255, 327.67, 655.35),
            leap=20,
            label={"en": "Temperature", "fr": "Température", "ar": "الحرارة"},
        ),
        Measurement(
            name="tilt_deg",
            bit=11,
            unit="deg",
            low=0,
            high=180,
            error_codes=(255,),
            label={"en": "Tilt", "fr": "Inclinaison", "ar": "الميل"},
        ),
        Measurement(
            name="lid_open",
            bit=12,
            type=ValueType.BOOLEAN,
            label={"en": "Lid open", "fr": "Couvercle ouvert", "ar": "الغطاء مفتوح"},
        ),
        Measurement(
            name="weight_kg",
            bit=13,
            unit="kg",
            low=0,
            high=2000,
            label={"en": "Weight", "fr": "Poids", "ar": "الوزن"},
        ),
        Measurement(
            name="methane_ppm",
            bit=14,
            unit="[ppm]",
            low=0,
            high=100000,
            label={"en": "Methane", "fr": "Méthane", "ar": "الميثان"},
        ),
        Measurement(
            name="battery_v",
            bit=15,
            unit="V",
            low=0,
            high=5,
            label={"en": "Battery voltage", "fr": "Tension batterie", "ar": "جهد البطارية"},
        ),
        Measurement(
            name="battery_pct",
            bit=16,
            unit="%",
            low=0,
            high=100,
            error_codes=(255,),
            label={"en": "Battery", "fr": "Batterie", "ar": "البطارية"},
        ),
        Measurement(
            name="rssi_dbm",
            bit=17,
            unit="dB[mW]",
            low=-150,
            high=0,
            of_link=True,
            label={"en": "Signal", "fr": "Signal", "ar": "الإشارة"},
        ),
        Measurement(
            name="snr_db",
            bit=18,
            unit="dB",
            low=-30,
            high=30,
            of_link=True,
            label={"en": "Signal to noise", "fr": "Signal sur bruit", "ar": "الإشارة إلى الضجيج"},
        ),
        Measurement(
            name="lat",
            bit=19,
            unit="deg",
            low=-90,
            high=90,
            label={"en": "Latitude", "fr": "Latitude", "ar": "خط العرض"},
        ),
        Measurement(
            name="lon",
            bit=20,
            unit="deg",
            low=-180,
            high=180,
            label={"en": "Longitude", "fr": "Longitude", "ar": "خط الطول"},
        ),
    ),
    derived=(
        Derived(
            measurement="fill_pct",
            inputs=("distance_mm",),
            attributes=("install_height_mm", "usable_depth_mm"),
            compute=_fill_pct,
        ),
    ),
    reporting=(Reporting(state="normal", every_s=600),),
    attributes=(
        Attribute(
            name="install_height_mm",
            unit="mm",
            default=1500.0,
            label={"en": "Sensor height", "fr": "Hauteur du capteur", "ar": "ارتفاع الحساس"},
        ),
        Attribute(
            name="usable_depth_mm",
            unit="mm",
            default=1200.0,
            label={"en": "Usable depth", "fr": "Profondeur utile", "ar": "العمق المفيد"},
        ),
        Attribute(
            name="volume_l", unit="L", default=1100.0, label={"en": "Volume", "fr": "Volume", "ar": "السعة"}
        ),
        Attribute(
            name="stored_waste_kind",
            type=AttributeType.TEXT,
            default="mixed",
            label={"en": "Waste", "fr": "Déchets", "ar": "نوع النفايات"},
        ),
        Attribute(
            name="route",
            type=AttributeType.TEXT,
            label={"en": "Collection route", "fr": "Tournée", "ar": "مسار الجمع"},
        ),
    ),
    panels=(
        Panel(title={"en": "Fill", "fr": "Remplissage", "ar": "الامتلاء"}, measurements=("fill_pct",)),
        Panel(
            title={"en": "Temperature", "fr": "Température", "ar": "الحرارة"}, measurements=("temperature_c",)
        ),
        Panel(title={"en": "Tilt", "fr": "Inclinaison", "ar": "الميل"}, measurements=("tilt_deg",)),
        Panel(title={"en": "Battery", "fr": "Batterie", "ar": "البطارية"}, measurements=("battery_v",)),
    ),
    commands=(Command(name="calibrate", label={"en": "Calibrate", "fr": "Étalonner", "ar": "معايرة"}),),
    checklist=(
        ChecklistItem(
            name="emptied", label={"en": "The bin is empty", "fr": "Le bac est vide", "ar": "الحاوية فارغة"}
        ),
        ChecklistItem(
            name="lid_closes", label={"en": "The lid closes", "fr": "Le couvercle ferme", "ar": "الغطاء يُغلق"}
        ),
        ChecklistItem(
            name="stands_firm",
            label={
                "en": "It stands upright and firm",
                "fr": "Il est droit et stable",
                "ar": "الحاوية قائمة وثابتة",
            },
        ),
        ChecklistItem(
            name="sensor_clean",
            label={
                "en": "The sensor is clean and reports",
                "fr": "Le capteur est propre et émet",
                "ar": "المستشعر نظيف ويرسل القراءات",
            },
        ),
    ),
)
