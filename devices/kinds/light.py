"""Street light: power, dimming, energy and pole of one lamp.

Names follow the Smart Data Model Streetlight where one exists.
"""

from devices.kinds.kind import (
    Argument,
    Attribute,
    AttributeType,
    Command,
    Kind,
    Measurement,
    Panel,
    Reporting,
)

KIND = Kind(
    name="light",
    title={"en": "Street light", "fr": "Lampadaire", "ar": "إنارة شارع"},
    icon="light",
    headline="power_w",
    model="Streetlight",
    measurements=(
        Measurement(
            name="power_w",
            bit=8,
            unit="W",
            low=0,
            high=1500,
            error_codes=(6553.5, 65535),
            label={"en": "Power", "fr": "Puissance", "ar": "القدرة"},
        ),
        Measurement(
            name="voltage_v",
            bit=9,
            unit="V",
            low=0,
            high=500,
            error_codes=(6553.5, 65535),
            label={"en": "Voltage", "fr": "Tension", "ar": "الجهد"},
        ),
        Measurement(
            name="current_a",
            bit=10,
            unit="A",
            low=0,
            high=20,
            label={"en": "Current", "fr": "Courant", "ar": "التيار"},
        ),
        Measurement(
            name="power_factor",
            bit=11,
            unit="1",
            low=-1,
            high=1,
            label={"en": "Power factor", "fr": "Facteur de puissance", "ar": "معامل القدرة"},
        ),
        Measurement(
            name="dim_pct",
            bit=12,
            unit="%",
            low=0,
            high=100,
            error_codes=(255,),
            label={"en": "Dimming", "fr": "Gradation", "ar": "شدة الإضاءة"},
        ),
        Measurement(
            name="commanded_dim_pct",
            bit=13,
            unit="%",
            low=0,
            high=100,
            error_codes=(255,),
            label={"en": "Commanded dimming", "fr": "Gradation demandée", "ar": "الشدة المطلوبة"},
        ),
        Measurement(
            name="energy_kwh",
            bit=14,
            unit="kW.h",
            low=0,
            counter=True,
            most_per_h=1.5,
            high=1_000_000,
            label={"en": "Energy", "fr": "Énergie", "ar": "الطاقة"},
        ),
        Measurement(
            name="burn_hours",
            bit=15,
            unit="h",
            low=0,
            counter=True,
            most_per_h=1,
            high=500_000,
            label={"en": "Burning hours", "fr": "Heures de marche", "ar": "ساعات التشغيل"},
        ),
        Measurement(
            name="driver_temperature_c",
            bit=16,
            unit="Cel",
            low=-40,
            high=130,
            error_codes=(-127, 255, 327.67, 3276.7, 6553.5),
            codes=(85, 127),
            leap=30,
            label={"en": "Driver temperature", "fr": "Température du driver", "ar": "حرارة المشغّل"},
        ),
        Measurement(
            name="lux",
            bit=17,
            unit="lx",
            low=0,
            high=200000,
            codes=(65535,),
            leap=30_000,
            label={"en": "Illuminance", "fr": "Éclairement", "ar": "الاستضاءة"},
        ),
        Measurement(
            name="tilt_deg",
            bit=18,
            unit="deg",
            low=0,
            high=180,
            error_codes=(255,),
            label={"en": "Pole tilt", "fr": "Inclinaison du mât", "ar": "ميل العمود"},
        ),
        Measurement(
            name="rssi_dbm",
            bit=19,
            unit="dB[mW]",
            low=-150,
            high=0,
            label={"en": "Signal", "fr": "Signal", "ar": "الإشارة"},
        ),
    ),
    reporting=(
        Reporting(state="lit", every_s=900, measurement="commanded_dim_pct", at_least=1),
        Reporting(state="off", every_s=21600),
    ),
    attributes=(
        Attribute(
            name="rated_power_w",
            unit="W",
            default=90.0,
            label={"en": "Rated power", "fr": "Puissance nominale", "ar": "القدرة الاسمية"},
        ),
        Attribute(
            name="circuit", type=AttributeType.TEXT, label={"en": "Circuit", "fr": "Circuit", "ar": "الدارة"}
        ),
        Attribute(
            name="cabinet", type=AttributeType.TEXT, label={"en": "Cabinet", "fr": "Armoire", "ar": "الخزانة"}
        ),
        Attribute(name="pole", type=AttributeType.TEXT, label={"en": "Pole", "fr": "Mât", "ar": "العمود"}),
        Attribute(
            name="lamp_technology",
            type=AttributeType.TEXT,
            default="LED",
            label={"en": "Lamp", "fr": "Lampe", "ar": "المصباح"},
        ),
    ),
    panels=(
        Panel(title={"en": "Power", "fr": "Puissance", "ar": "القدرة"}, measurements=("power_w",)),
        Panel(
            title={"en": "Dimming", "fr": "Gradation", "ar": "شدة الإضاءة"},
            measurements=("dim_pct", "commanded_dim_pct"),
        ),
        Panel(title={"en": "Voltage", "fr": "Tension", "ar": "الجهد"}, measurements=("voltage_v",)),
        Panel(
            title={"en": "Driver temperature", "fr": "Température du driver", "ar": "حرارة المشغّل"},
            measurements=("driver_temperature_c",),
        ),
    ),
    commands=(
        Command(
            name="set_dimming",
            arguments=(
                Argument(
                    name="pct",
                    unit="%",
                    low=0,
                    high=100,
                    label={"en": "Dimming", "fr": "Gradation", "ar": "شدة الإضاءة"},
                ),
            ),
            label={"en": "Set dimming", "fr": "Régler la gradation", "ar": "ضبط شدة الإضاءة"},
        ),
        Command(
            name="resume_schedule",
            label={"en": "Resume schedule", "fr": "Reprendre l'horaire", "ar": "العودة إلى الجدول"},
        ),
    ),
)
