"""Grafana servers brought to what is wanted: `wanted`, `difference` are pure, `server` alone speaks HTTP."""
