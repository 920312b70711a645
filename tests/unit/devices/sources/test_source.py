"""What can be a source, and what is said of one that cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from devices.registry.errors import Invalid
from devices.sources.source import NewSource, Way, check, check_plain, default_topics
from devices.sources.translation import ALL

GOOD = NewSource(
    name="lora",
    municipality="tripoli",
    format="chirpstack",
    url="mqtts://lora.example:8883",
    topics=("application/+/device/+/event/up",),
)


def test_a_source_as_documents_show_it_is_one() -> None:
    check(GOOD, ALL)
    check(NewSource(name="w", municipality="tripoli", format="nabd", way=Way.WEBHOOK), ALL)


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": "Lora"}, "name", "a-z"),
        ({"format": "chirpstak"}, "format", "chirpstack"),
        ({"protocol": "4"}, "protocol", "3.1.1"),
        ({"url": "https://lora.example"}, "url", "mqtts://"),
        ({"url": "mqtt://me:secret@lora.example"}, "url", "account"),
        ({"url": "mqtt://lora.example:99999"}, "url", "ort"),
        ({"topics": ()}, "topics", "subscriptions"),
        ({"topics": ("a/#/b",)}, "topics", "a/#/b"),
        ({"topics": ("a/b+",)}, "topics", "a/b+"),
        ({"topics": ("$SYS/#",)}, "topics", "$"),
        ({"authority": "no certificate"}, "authority", "PEM"),
        ({"authority": "x", "url": "mqtt://lora.example"}, "authority", "mqtts"),
        ({"way": Way.WEBHOOK}, "url", "posted"),
        ({"way": Way.WEBHOOK, "url": "", "topics": (), "format": "sparkplug"}, "format", "broker"),
    ],
)
def test_what_cannot_be_a_source_is_refused_with_the_field(
    changes: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check(replace(GOOD, **changes), ALL)

    assert refused.value.field == field
    assert says in refused.value.message


def test_documents_that_nothing_takes_apart_are_refused_with_the_option_that_names_it() -> None:
    check_plain(replace(GOOD, format="json", profile="acme"))
    with pytest.raises(Invalid, match="--profile NAME"):
        check_plain(replace(GOOD, format="json"))


@pytest.mark.parametrize(
    ("topic", "town", "anywhere"),
    [
        ("foreign/tripoli/#", True, True),
        ("foreign/tripoli", True, True),
        ("foreign/tripoli/+/attrs", True, True),
        ("foreign/#", False, True),
        ("foreign/+/x", False, True),
        ("foreign/saida/#", False, True),
        ("foreign/tripoli2/#", False, True),
        ("#", False, False),
        ("+/tripoli/#", False, False),
        ("application/+/device/+/event/+", False, False),
        ("nabd/v1/+/gateway/+/receipt", False, False),
        ("nabd/v1/tripoli/bin/b1/presence", False, False),
        ("nabd/v1/tripoli/bin/b1/telemetry", False, False),
        ("+/+/+", False, False),
    ],
)
def test_on_our_own_broker_a_source_hears_what_is_foreign_in_its_municipality(
    topic: str, town: bool, anywhere: bool
) -> None:
    new = replace(GOOD, url="", topics=("foreign/tripoli/x", topic))

    for allowed, told in ((town, False), (anywhere, True)):
        if allowed:
            check(new, ALL, anywhere=told)
        else:
            with pytest.raises(Invalid, match="foreign/tripoli/#"):
                check(new, ALL, anywhere=told)


def test_topics_that_are_known_need_not_be_said() -> None:
    for one in ("nabd", "chirpstack", "things_stack", "sparkplug"):
        other = replace(GOOD, format=one, topics=())
        check(replace(other, topics=default_topics(other)), ALL)
