"""Grafana as code: dashboards made from the kinds, and servers brought to them.

`dashboards` says what they show, `sdk` alone knows the SDK, `sync` alone Grafana's HTTP API. Dashboards ask
the views v_* and no table; no route or page imports anything from here. Needs the extra `grafana`.
"""
