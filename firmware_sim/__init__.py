"""Devices that do not exist. Knows device kinds, wire and topics, and MQTT; never store, rules or api."""
