"""Readings to transitions, in rooms. Knows alerts, readings, devices and store; never MQTT, never HTTP."""
