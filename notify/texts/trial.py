"""The message that a test of a channel sends. Pure."""

from __future__ import annotations

from devices.texts.catalogue import text
from devices.texts.languages import Language
from notify.message import NotificationMessage
from notify.texts.html_body import html_of
from notify.texts.sms import simplified


def trial_message(message_id: str, channel: str, language: Language) -> NotificationMessage:
    """Return a message that says that nothing is the matter; nothing in it can be answered."""
    subject = text(language, "notice.trial")
    said = text(language, "notice.trial_why", channel=channel)
    return NotificationMessage(
        id=message_id,
        thread=message_id,
        occasion=None,
        severity=None,
        language=language,
        subject=subject,
        text=said,
        short=simplified(f"{subject}. {said}"),
        html=html_of(subject, [said], language),
    )
