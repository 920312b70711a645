"""What an Alertmanager's API takes, read as it reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.alertmanager import NotAccepted, PostableAlert, read, rule_of, sentence_of, severity_of, span
from alerts.transition import Severity
from rules.definition.definition import ID

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROMETHEUS = b"""[{"annotations": {"summary": "Disk full"}, "endsAt": "2026-03-01T12:04:00.123Z",
"startsAt": "2026-03-01T14:00:00+02:00", "generatorURL": "http://prometheus/graph?g0.expr=up",
"labels": {"alertname": "DiskFull", "severity": "critical", "instance": "db:9100"}}]"""
"""As Prometheus sends one."""


def labelled(**labels: str) -> PostableAlert:
    return PostableAlert(labels=labels)


def alert(**members: Any) -> list[PostableAlert]:
    return read(json.dumps([{"labels": {"alertname": "A"}, **members}]).encode())


def test_alert_of_prometheus_is_read_whole() -> None:
    [found] = read(PROMETHEUS)

    assert span(found, NOW) == (NOW, NOW + timedelta(minutes=4, milliseconds=123))
    assert (rule_of(found), severity_of(found)) == ("external-disk-full", Severity.CRITICAL)
    assert (sentence_of(found), found.generator_url[:17]) == ("Disk full", "http://prometheus")


def test_what_is_not_set_is_completed_as_alertmanager_does() -> None:
    five = timedelta(minutes=5)
    [bare] = alert()
    [zero] = alert(startsAt="0001-01-01T00:00:00Z", endsAt="0001-01-01T00:00:00Z")
    [ended] = alert(endsAt="2026-03-01T11:00:00Z")

    assert span(bare, NOW) == span(zero, NOW) == (NOW, NOW + five)
    assert span(ended, NOW) == (NOW - timedelta(hours=1), NOW - timedelta(hours=1))
    assert read(b"[]") == []


@pytest.mark.parametrize(
    ("label", "severity"),
    [
        ("critical", "critical"), ("Page", "critical"), ("major", "major"), ("ERROR", "major"),
        ("minor", "minor"), ("warning", "warning"), ("info", "warning"), ("none", "warning"),
        ("", "warning"), ("sev1", "warning"),
    ],
)  # fmt: skip
def test_severity_is_that_of_the_label(label: str, severity: str) -> None:
    assert severity_of(labelled(alertname="A", severity=label)) == severity


def test_each_name_has_a_rule_of_its_own_with_an_id_as_rules_have() -> None:
    names = [
        "HighErrorRate",
        "disk_full",
        "KubePodCrashLooping",
        "حرارة",
        "برودة",
        "a" * 100,
        "a" * 101,
        "a!",
        "a",
    ]
    found = [rule_of(labelled(alertname=name)) for name in names]

    assert found[:3] == ["external-high-error-rate", "external-disk-full", "external-kube-pod-crash-looping"]
    assert len(set(found)) == len(found)
    assert all(ID.fullmatch(rule) for rule in found)
    assert rule_of(labelled(instance="x")) == "external-unnamed"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no list of alerts"),
        (b"{}", "no list of alerts"),
        (b"[{}]", "labels"),
        (b'[{"labels": {"a": 1}}]', "str"),
        (b'[{"labels": {}}]', "alert 0: at least one label"),
        (b'[{"labels": {"a": ""}}]', "at least one label"),
        (b'[{"labels": {"": "a"}}]', "a name"),
        (b'[{"labels": {"a": "b"}, "startsAt": "yesterday"}]', "startsAt"),
        (b'[{"labels": {"a": "b"}, "startsAt": "2026-03-01T12:00:00"}]', "without an offset"),
        (
            b'[{"labels": {"a": "b"}, "startsAt": "2026-03-01T12:00:00Z", "endsAt": "2026-03-01T11:00:00Z"}]',
            "ends before it starts",
        ),
        (json.dumps([{"labels": {"a": "b" * 5000}}]).encode(), "4000 characters"),
        (json.dumps([{"labels": {str(i): "b" for i in range(65)}}]).encode(), "at most 64"),
        (json.dumps([{"labels": {"a": "b"}}] * 2001).encode(), "at most 2000"),
        (b'[{"labels": {"a": "\xff"}}]', "no list of alerts"),
    ],
)
def test_mistake_is_refused_with_the_alert_and_the_reason(body: bytes, said: str) -> None:
    with pytest.raises(NotAccepted, match=said):
        read(body)
