"""What a device is and what it sends: kinds, wire format, topics, registry.

Knows the store (registry and table plans only). Never MQTT sessions, rules or HTTP.
"""
