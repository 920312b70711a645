"""Alerts: their transitions, how they are recorded, listed, acknowledged and inhibited.

Below rules: callers say what changed; no condition is known here. Never MQTT, never HTTP.
"""
