"""What devices can be told: what all of them can, and what their kind declares."""

from __future__ import annotations

from devices.kinds.kind import Argument, Command, Kind

COMMON = (
    Command(name="reboot", label={"en": "Reboot", "fr": "Redémarrer", "ar": "إعادة التشغيل"}),
    Command(name="report_now", label={"en": "Report now", "fr": "Relever maintenant", "ar": "أرسل الآن"}),
    Command(
        name="set_interval",
        arguments=(
            Argument(
                name="interval_s",
                unit="s",
                low=1,
                high=86_400,
                label={"en": "Interval", "fr": "Intervalle", "ar": "الفاصل الزمني"},
            ),
        ),
        label={"en": "Set interval", "fr": "Régler l'intervalle", "ar": "ضبط الفاصل الزمني"},
    ),
)
"""What every device can be told, beside what its kind declares."""


def known_commands(kind: Kind | None) -> dict[str, Command]:
    """Return what devices of a kind understand, by name."""
    return {c.name: c for c in (*COMMON, *(kind.commands if kind else ()))}
