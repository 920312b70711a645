"""Readings to alerts. Knows devices and store; never MQTT, never HTTP."""
