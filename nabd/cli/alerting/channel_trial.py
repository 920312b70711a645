"""`nabd notify test`: one message by a channel, to see whether it arrives."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import uuid4

import typer

from devices.texts.languages import DEFAULT, LANGUAGES
from nabd import clock
from nabd.cli.output import fail, line, print_json
from nabd.cli.run import load_settings
from nabd.starting import NotConfigured
from notify.message import NotificationChannel, Undelivered
from notify.texts.trial import trial_message
from store.failures import DATABASE_ERRORS


def send_test(
    channel: Annotated[
        str, typer.Option(help="email, webhook, ntfy, telegram, sms, mqtt, apprise or web-push")
    ],
    to: Annotated[str, typer.Option(help="an address of that channel; of web-push a person's name")],
    language: Annotated[str, typer.Option(help=f"of the text: {', '.join(LANGUAGES)}")] = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Send a message that says that nothing is the matter; exit with 1 where it is not taken."""
    # Not above: every other command starts sooner without the clients of all services.
    from nabd.channels import channels_of

    known = [one for one in LANGUAGES if one == language]
    if not known:
        fail(f"{language!r} is none of {', '.join(LANGUAGES)}")
    try:
        channels = channels_of(load_settings(), clock.wall)
    except NotConfigured as error:
        fail(str(error))
    if channel not in channels:
        fail(
            f"{channel!r} is not set up; channels are: {', '.join(channels) or 'none'}; see docs/channels.md"
        )
    message = trial_message(f"test-{uuid4()}", channel, known[0])

    async def work(used: NotificationChannel) -> str:
        try:
            return await used.send(message, to)
        finally:
            await used.close()

    try:
        answer = asyncio.run(work(channels[channel]))
    except (Undelivered, *DATABASE_ERRORS) as refused:
        fail(f"{channel} did not take it: {refused}")
    if as_json:
        print_json({"channel": channel, "answer": answer})
    else:
        line(f"{channel} took it: {answer}")
