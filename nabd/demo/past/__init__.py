"""A past for the demo: the town's last weeks, lived quickly and stored by the code that stores the present.

Readings are decided and committed by ingest's own pipeline, judged by the rules in force, and alerts and work
orders are recorded by the functions that record those of today, under a clock of the past. Must not know the
broker, nor the devices of the present: its town is another one of the same seed.
"""
