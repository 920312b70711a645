"""Street light: power, dimming, energy and pole of one lamp.

Names follow the Smart Data Model Streetlight where one exists. Dimming is a percentage of full light; that
a lamp's levels are logarithmic (DALI) is one of its attributes.
"""

from devices.kinds.kind import (
    Argument,
    Attribute,
    AttributeType,
    ChecklistItem,
    Command,
    Conclusion,
    Kind,
    Measurement,
    ModelProperty,
    Panel,
    Reporting,
)

_DALI = "0:0.02 10:0.022 20:0.024 30:0.028 40:0.035 50:0.05 60:0.08 70:0.14 80:0.27 90:0.51 100:1"
"""Share of the rated power by level of the logarithmic curve of IEC 62386-102, with 2 % of losses."""

CONCLUSIONS = (
    Conclusion(
        name="linear",
        # A lamp shows it the first night: with so much power nothing is lit logarithmically. Not while it
        # fades, nor on the first reading at a level.
        means=(
            "known(not attr(logarithmic_dimming), known(last(1, 10 <= commanded_dim_pct <= 70"
            " and known(abs(dim_pct - commanded_dim_pct) <= 3, true)"
            " and known(abs(delta(commanded_dim_pct)) < 1, false)"
            " and power_w > attr(rated_power_w) * max(0.0035 * commanded_dim_pct, 0.08)), 0) == 1)"
        ),
        label={"en": "Dims linearly", "fr": "Gradation linéaire", "ar": "تعتيم خطي"},
    ),
    Conclusion(
        name="asked_share",
        means=(
            "known(curve(known(commanded_dim_pct, dim_pct), attr(power_curve)),"
            " known(only(known(commanded_dim_pct, dim_pct) / 100, linear),"
            f' curve(known(commanded_dim_pct, dim_pct), "{_DALI}")))'
        ),
        label={
            "en": "Share of power asked for",
            "fr": "Part de puissance demandée",
            "ar": "نسبة القدرة المطلوبة",
        },
    ),
    Conclusion(
        name="given_share",
        means=(
            "known(curve(dim_pct, attr(power_curve)), known(only(dim_pct / 100, linear),"
            f' curve(dim_pct, "{_DALI}")))'
        ),
        label={"en": "Share of power given", "fr": "Part de puissance fournie", "ar": "نسبة القدرة المعطاة"},
    ),
    Conclusion(
        name="expected_w",
        # Where the driver says that it is dimmed lower than it was told, its light is not what failed.
        means="attr(rated_power_w) * min(asked_share, known(given_share, 1))",
        unit="W",
        label={"en": "Expected power", "fr": "Puissance attendue", "ar": "القدرة المتوقعة"},
    ),
    Conclusion(
        name="dark_w",
        # Even at its dimmest a lamp that lights draws several percent of its rating, or half of its own.
        # A driver that is stuck at a lower level says so; what says 0 may be dark itself.
        means=(
            "max(0.2 * expected_w, attr(rated_power_w)"
            " * min(0.04, 0.5 * min(asked_share, known(only(max(given_share, 0.036), dim_pct >= 1), 1))))"
        ),
        unit="W",
        label={"en": "Dark below", "fr": "Éteint au-dessous de", "ar": "مطفأ دون"},
    ),
    Conclusion(
        name="felt_w",
        # Where no power factor is told, half of what current and voltage could carry.
        means="voltage_v * current_a * known(abs(power_factor), 0.5)",
        unit="W",
        label={"en": "Power by current", "fr": "Puissance d'après le courant", "ar": "القدرة حسب التيار"},
    ),
    Conclusion(
        name="counted_w",
        means='only(1000 * rate(energy_kwh, "1h"), rate(energy_kwh, "1h") < 0.0015 * attr(rated_power_w))',
        unit="W",
        label={"en": "Power by energy", "fr": "Puissance d'après l'énergie", "ar": "القدرة حسب الطاقة"},
    ),
    Conclusion(
        name="meter_contradicts",
        # A lamp that has just failed was counted as lit until then: energy must say so three times.
        means=(
            "known(power_w < 0.3 * felt_w and felt_w > 0.2 * attr(rated_power_w)"
            " or power_w > 1.5 * voltage_v * current_a and power_w > 0.2 * attr(rated_power_w),"
            " known(n_of(power_w < 0.3 * counted_w and counted_w > 0.2 * attr(rated_power_w), 3, 3), false))"
        ),
        label={
            "en": "Its meter contradicts itself",
            "fr": "Son compteur se contredit",
            "ar": "عداده يناقض نفسه",
        },
    ),
)
"""What its rules conclude alike: what it should draw at this level, and whether its meter can be believed."""

KIND = Kind(
    name="light",
    title={"en": "Street light", "fr": "Lampadaire", "ar": "إنارة شارع"},
    icon="light",
    headline="power_w",
    # Not its power: who sees where it is dark knows more than a municipality wants to say.
    public=("energy_kwh", "burn_hours", "lux"),
    inspection=("energy_kwh", "burn_hours", "power_w", "voltage_v", "current_a", "lux", "tilt_deg"),
    model="Streetlight",
    model_home="https://smartdatamodels.org/dataModel.Streetlighting/",
    properties=(
        ModelProperty(name="powerConsumption", of="power_w", unit_code="WTT"),
        # As much as a driver draws that waits; see standby_w.
        ModelProperty(name="powerState", of="power_w", steps=((2.0, "off"), (float("inf"), "on"))),
        ModelProperty(name="voltage", of="voltage_v", unit_code="VLT"),
        ModelProperty(name="current", of="current_a", unit_code="AMP"),
        ModelProperty(name="powerFactor", of="power_factor", unit_code="C62"),
        ModelProperty(name="illuminanceLevel", of="dim_pct", factor=0.01, unit_code="C62"),
        ModelProperty(name="powerRating", of="rated_power_w", unit_code="WTT"),
        ModelProperty(name="circuit", of="circuit"),
        ModelProperty(name="streetPoleNum", of="pole"),
        ModelProperty(name="refStreetlightControlCabinet", of="cabinet", refers="StreetlightControlCabinet"),
        ModelProperty(
            name="status",
            alerts={
                "light-pole-hit": "columnIssue",
                "light-lamp-failure": "defectiveLamp",
                "light-partial-failure": "defectiveLamp",
                "light-cycling": "defectiveLamp",
            },
            otherwise="ok",
        ),
    ),
    verify_within="2 nights",
    measurements=(
        Measurement(
            name="power_w",
            bit=8,
            unit="W",
            low=0,
            high=1500,
            error_codes=(6553.5, 65535),
            floor=1.5,
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
            reference={
                "en": "a share of full light; levels of a DALI scale: set logarithmic_dimming",
                "fr": "une part de la pleine lumière ; niveaux DALI : indiquez logarithmic_dimming",
                "ar": "نسبة من الإضاءة الكاملة؛ إن كانت مستويات DALI فاضبط logarithmic_dimming",
            },
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
            of_link=True,
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
            name="logarithmic_dimming",
            type=AttributeType.BOOLEAN,
            label={"en": "Logarithmic levels", "fr": "Niveaux logarithmiques", "ar": "مستويات لوغاريتمية"},
        ),
        # Share of the rating by level, such as "10:0.05 50:0.3 100:1".
        Attribute(
            name="power_curve",
            type=AttributeType.CURVE,
            label={"en": "Power by level", "fr": "Puissance par niveau", "ar": "القدرة حسب المستوى"},
        ),
        Attribute(
            name="power_factor_curve",
            type=AttributeType.CURVE,
            label={
                "en": "Power factor by level",
                "fr": "Facteur de puissance par niveau",
                "ar": "معامل القدرة حسب المستوى",
            },
        ),
        Attribute(
            name="standby_w",
            unit="W",
            default=2.0,
            label={"en": "Standby below", "fr": "Veille au-dessous de", "ar": "استعداد دون"},
        ),
        Attribute(
            name="nominal_v",
            unit="V",
            default=230.0,
            label={"en": "Nominal voltage", "fr": "Tension nominale", "ar": "الجهد الاسمي"},
        ),
        Attribute(
            name="over_voltage_v",
            unit="V",
            label={
                "en": "Voltage too high from",
                "fr": "Tension trop élevée à partir de",
                "ar": "جهد مرتفع ابتداءً من",
            },
        ),
        Attribute(
            name="under_voltage_v",
            unit="V",
            label={
                "en": "Voltage too low below",
                "fr": "Tension trop basse au-dessous de",
                "ar": "جهد منخفض دون",
            },
        ),
        Attribute(
            name="circuit", type=AttributeType.TEXT, label={"en": "Circuit", "fr": "Circuit", "ar": "الدارة"}
        ),
        Attribute(
            name="cabinet", type=AttributeType.TEXT, label={"en": "Cabinet", "fr": "Armoire", "ar": "الخزانة"}
        ),
        Attribute(name="phase", type=AttributeType.TEXT, label={"en": "Phase", "fr": "Phase", "ar": "الطور"}),
        Attribute(name="pole", type=AttributeType.TEXT, label={"en": "Pole", "fr": "Mât", "ar": "العمود"}),
        Attribute(
            name="lamp_technology",
            type=AttributeType.TEXT,
            default="LED",
            label={"en": "Lamp", "fr": "Lampe", "ar": "المصباح"},
        ),
    ),
    conclusions=CONCLUSIONS,
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
    configuration=(
        Argument(
            name="night_pct",
            unit="%",
            low=10,
            high=100,
            label={
                "en": "Dimming late at night",
                "fr": "Gradation tard la nuit",
                "ar": "شدة الإضاءة آخر الليل",
            },
        ),
    ),
    checklist=(
        ChecklistItem(
            name="power_off",
            label={
                "en": "The circuit was switched off for the work",
                "fr": "Le circuit a été coupé pour l'intervention",
                "ar": "فُصلت الدارة أثناء العمل",
            },
        ),
        ChecklistItem(
            name="lamp_lit", label={"en": "The lamp lights", "fr": "La lampe s'allume", "ar": "المصباح يضيء"}
        ),
        ChecklistItem(
            name="pole_sound",
            label={
                "en": "The pole stands upright and is sound",
                "fr": "Le mât est droit et sain",
                "ar": "العمود مستقيم وسليم",
            },
        ),
        ChecklistItem(
            name="door_locked",
            label={
                "en": "The pole's door is locked",
                "fr": "La trappe du mât est verrouillée",
                "ar": "باب العمود مقفل",
            },
        ),
    ),
)
