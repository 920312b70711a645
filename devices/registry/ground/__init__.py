"""The ground of a municipality: its districts and streets, and in which of them each device stands.

Layers are read from GeoJSON, checked, stored by code, and laid over the devices. No reading, rule or alert is
known here.
"""
