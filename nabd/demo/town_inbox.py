"""The inbox of a simulated town: opened before the platform, so that its channels can be pointed at it.

Imported only by who runs a demo: the web server it needs would slow every other command down.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from devices.instants import Now
from devices.time_zones import zone_named
from firmware_sim.town import Town
from nabd.demo.cast import TOWNSPEOPLE
from nabd.demo.inbox.answering import InboxPhone
from nabd.demo.inbox.mail import catching_mail
from nabd.demo.inbox.messages import Inbox, InboxReader
from nabd.demo.inbox.services import hook_path
from nabd.demo.inbox.serving import InboxAddress, open_listener, serving_page
from nabd.demo.inbox.site import InboxSite
from nabd.first_link import base_of
from nabd.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TownInbox:
    """What a town's people are sent. base: of the API, where they answer."""

    town: Town
    inbox: Inbox
    address: InboxAddress
    base: str

    def pointed_at(self, settings: Settings) -> Settings:
        """Return settings whose channels end in this inbox."""
        sender = f"nabd@{self.town.municipality}.example"
        return self.address.pointed_at(settings, sender=sender, public_url=self.base)

    @asynccontextmanager
    async def answering(self, token: str) -> AsyncIterator[InboxPhone]:
        """Serve the page; token: may pass answers by SMS on."""
        place = self.town.place
        async with InboxPhone(self.inbox, base=self.base, token=token) as phone:
            site = InboxSite(self.inbox, phone, town=place.title, time_zone=zone_named(place.time_zone))
            async with serving_page(site.app, self.address.listener):
                yield phone


@asynccontextmanager
async def town_inbox(town: Town, settings: Settings, now: Now) -> AsyncIterator[TownInbox]:
    """Take mails, and listen for everything else, which waits until `answering`."""
    base = base_of(settings)
    inbox = Inbox(readers_of(town.municipality), now, public_url=base)
    async with catching_mail(inbox) as mail_port:
        with open_listener() as listener:
            address = InboxAddress(listener=listener, mail_port=mail_port)
            yield TownInbox(town=town, inbox=inbox, address=address, base=base)


def readers_of(municipality: str) -> Mapping[str, InboxReader]:
    """Return the people of a town by every address of theirs, as channels write it."""
    found = {}
    for person in TOWNSPEOPLE[municipality]:
        reader = InboxReader(name=person.name, display_name=person.display_name, language=person.language)
        number = re.sub(r"[^0-9+]", "", person.phone)
        for address in (
            person.email(municipality), person.topic(municipality), number, hook_path(person.name)
        ):  # fmt: skip
            found[address] = reader
    return found
