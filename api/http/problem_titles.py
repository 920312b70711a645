"""The titles of problems, in English, French and Arabic. Only sentences live here."""

from __future__ import annotations

from collections.abc import Mapping

from api.http.languages import Language

TITLES: Mapping[str, Mapping[Language, str]] = {
    "bad-request": {
        "en": "The request cannot be understood",
        "fr": "La requête est incompréhensible",
        "ar": "تعذّر فهم الطلب",
    },
    "invalid": {
        "en": "Some of the request is not acceptable",
        "fr": "Une partie de la requête n'est pas acceptable",
        "ar": "في الطلب ما هو غير مقبول",
    },
    "timeout": {
        "en": "The request took too long to arrive",
        "fr": "La requête a mis trop de temps à arriver",
        "ar": "استغرق وصول الطلب وقتًا طويلًا",
    },
    "too-many-attempts": {
        "en": "Too many wrong attempts; please wait",
        "fr": "Trop d'essais erronés ; veuillez patienter",
        "ar": "محاولات خاطئة كثيرة؛ يرجى الانتظار",
    },
    "unauthorized": {
        "en": "Please sign in",
        "fr": "Veuillez vous connecter",
        "ar": "يرجى تسجيل الدخول",
    },
    "forbidden": {
        "en": "This is not allowed",
        "fr": "Cela n'est pas autorisé",
        "ar": "هذا غير مسموح",
    },
    "foreign-origin": {
        "en": "Another site may not change anything here",
        "fr": "Un autre site ne peut rien modifier ici",
        "ar": "لا يحق لموقع آخر تغيير أي شيء هنا",
    },
    "wrong-host": {
        "en": "This server does not answer to that name",
        "fr": "Ce serveur ne répond pas à ce nom",
        "ar": "هذا الخادم لا يستجيب لهذا الاسم",
    },
    "not-found": {
        "en": "There is nothing here",
        "fr": "Il n'y a rien ici",
        "ar": "لا يوجد شيء هنا",
    },
    "unknown-device": {
        "en": "No such device",
        "fr": "Appareil inconnu",
        "ar": "جهاز غير معروف",
    },
    "unknown-alert": {
        "en": "No such alert",
        "fr": "Alerte inconnue",
        "ar": "تنبيه غير معروف",
    },
    "method-not-allowed": {
        "en": "That cannot be done here",
        "fr": "Cette opération n'est pas possible ici",
        "ar": "لا يمكن فعل ذلك هنا",
    },
    "not-acceptable": {
        "en": "No such format",
        "fr": "Format inconnu",
        "ar": "صيغة غير معروفة",
    },
    "already-exists": {
        "en": "It exists already",
        "fr": "Cela existe déjà",
        "ar": "هذا موجود مسبقًا",
    },
    "conflict": {
        "en": "The present state does not allow this",
        "fr": "L'état actuel ne le permet pas",
        "ar": "الحالة الراهنة لا تسمح بذلك",
    },
    "changed-meanwhile": {
        "en": "Somebody else changed it meanwhile",
        "fr": "Quelqu'un d'autre l'a modifié entre-temps",
        "ar": "غيّره شخص آخر في هذه الأثناء",
    },
    "range-too-wide": {
        "en": "The time range is too wide",
        "fr": "L'intervalle de temps est trop large",
        "ar": "المدى الزمني واسع أكثر من اللازم",
    },
    "too-large": {
        "en": "The request is too large",
        "fr": "La requête est trop volumineuse",
        "ar": "الطلب أكبر من المسموح",
    },
    "unsupported-media-type": {
        "en": "The body must be JSON",
        "fr": "Le corps doit être en JSON",
        "ar": "يجب أن يكون المحتوى بصيغة JSON",
    },
    "unavailable": {
        "en": "Part of the platform is not available now; try again soon",
        "fr": "Une partie de la plateforme est indisponible ; réessayez bientôt",
        "ar": "جزء من المنصة غير متاح الآن؛ حاول مجددًا بعد قليل",
    },
    "internal": {
        "en": "Something went wrong on our side",
        "fr": "Une erreur s'est produite de notre côté",
        "ar": "حدث خطأ من جانبنا",
    },
}
