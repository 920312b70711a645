"""Queries as Grafana's PostgreSQL data source sends them: variables and macros replaced.

After pkg/tsdb/grafana-postgresql-datasource/macros.go; what is quoted, after its interpolateVariable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.integration.grafana.town import Span

MACRO = re.compile(r"\$__(timeFilter|timeGroupAlias|timeFrom|timeTo)\(([^)]*)\)")
SECONDS = {"m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What somebody looks at: a span, values of variables, and the edition of the data source."""

    span: Span
    variables: Mapping[str, str]
    timescale: bool
    interval: str = "5m"

    def asks(self, sql: str) -> str:
        """Return the SQL that reaches the database."""
        sql = sql.replace("$__searchFilter", "%").replace(
            "$__interval_ms", str(self._seconds(self.interval) * 1000)
        )
        sql = sql.replace("$__interval", self.interval)
        for name, value in self.variables.items():
            sql = re.sub(rf"\$(?:{name}\b|\{{{name}\}})", value, sql)
        found = MACRO.sub(self._macro, sql)
        assert "$" not in found, found
        return found

    def _macro(self, found: re.Match[str]) -> str:
        name, arguments = found[1], [part.strip() for part in found[2].split(",")]
        match name:
            case "timeFilter":
                return f"{arguments[0]} BETWEEN {self._at(self.span.start)} AND {self._at(self.span.end)}"
            case "timeFrom":
                return self._at(self.span.start)
            case "timeTo":
                return self._at(self.span.end)
        seconds = self._seconds(arguments[1].strip("'"))
        if self.timescale:
            return f"time_bucket('{seconds}.000s',{arguments[0]}) AS \"time\""
        return f'floor(extract(epoch from {arguments[0]})/{seconds})*{seconds} AS "time"'

    @staticmethod
    def _at(instant: datetime) -> str:
        return f"'{instant:%Y-%m-%dT%H:%M:%SZ}'"

    @staticmethod
    def _seconds(interval: str) -> int:
        return int(interval[:-1]) * SECONDS[interval[-1]]
