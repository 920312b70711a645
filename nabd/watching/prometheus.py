"""The rules as Prometheus reads them: `rule_files` of its configuration. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from nabd.watching.rules import PlatformRule

PATH = "prometheus/nabd.rules.yaml"
HEAD = "# Written by `nabd watch render`; do not edit. Named in rule_files of prometheus.yml.\n"


def text(rules: Sequence[PlatformRule]) -> str:
    """Return the file."""
    groups = [{"name": "nabd", "rules": [_rule(one) for one in rules]}]
    return HEAD + yaml.safe_dump({"groups": groups}, sort_keys=False, width=1000, allow_unicode=True)


def _rule(rule: PlatformRule) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "expr": rule.expression,
        "for": f"{rule.minutes}m",
        "labels": {"severity": str(rule.urgency)},
        "annotations": {"summary": rule.summary, "runbook": rule.runbook},
    }
