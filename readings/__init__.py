"""Stored readings and what became of every message: the only code that reads reading tables.

Knows devices and store; never alerts, rules, MQTT or HTTP.
"""
