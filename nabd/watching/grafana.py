"""The rules as Grafana provisions them: a query of Prometheus, and a threshold over its last value. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from nabd.watching.rules import PlatformRule

PATH = "grafana/alerting/nabd.yaml"
SOURCE = "nabd-prometheus"
"""Uid of the data source, which must be a Prometheus that scrapes /metrics."""
HEAD = (
    "# Written by `nabd watch render`; do not edit. Goes into provisioning/alerting of a Grafana that has a\n"
    f"# Prometheus as data source with uid {SOURCE}; without one each of these would only say that.\n"
)
LOOKED_AT_S = 600
EVALUATORS = {">": "gt", "<": "lt"}


GROUP = "nabd"


def text(rules: Sequence[PlatformRule]) -> str:
    """Return the file."""
    group = {
        "orgId": 1,
        "name": GROUP,
        "folder": "Nabd",
        "interval": "1m",
        "rules": [_rule(one, SOURCE) for one in rules],
    }
    document = {"apiVersion": 1, "groups": [group]}
    return HEAD + yaml.safe_dump(document, sort_keys=False, width=1000, allow_unicode=True)


def provisioned(rules: Sequence[PlatformRule], *, folder: str, source: str) -> list[dict[str, Any]]:
    """Return the rules as Grafana's provisioning API takes them, asking the data source of that uid."""
    return [{**_rule(one, source), "ruleGroup": GROUP, "folderUID": folder} for one in rules]


def _rule(rule: PlatformRule, source: str) -> dict[str, Any]:
    return {
        "uid": rule.name.lower(),
        "title": rule.name,
        "condition": "threshold",
        "data": [_query(rule, source), _threshold(rule)],
        # What is not known is left out of /metrics; rules about what must be there say so themselves.
        "noDataState": "OK",
        "execErrState": "Alerting",
        "for": f"{rule.minutes}m",
        "labels": {"severity": str(rule.urgency)},
        "annotations": {"summary": rule.summary, "runbook": rule.runbook},
    }


def _query(rule: PlatformRule, source: str) -> dict[str, Any]:
    return {
        "refId": "measured",
        "relativeTimeRange": {"from": LOOKED_AT_S, "to": 0},
        "datasourceUid": source,
        "model": {"refId": "measured", "expr": rule.left, "instant": True},
    }


def _threshold(rule: PlatformRule) -> dict[str, Any]:
    evaluator = {"type": EVALUATORS[rule.sign], "params": [float(rule.right)]}
    return {
        "refId": "threshold",
        "datasourceUid": "__expr__",
        "model": {
            "refId": "threshold",
            "type": "threshold",
            "expression": "measured",
            "conditions": [{"evaluator": evaluator}],
        },
    }
