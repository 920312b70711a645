"""Devices as NGSI-LD entities (ETSI GS CIM 009) of the Smart Data Models, to be read.

Which property of which model a measurement is stands in the kind's declaration. `values` and `entity` make
entities, `query`, `geography` and `patterns` decide which are asked for: all of these are pure.
"""
