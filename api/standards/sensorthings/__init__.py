"""Devices as OGC SensorThings 1.1, to be read: Things, Datastreams, Observations and what belongs to them.

`expression`, `evaluate`, `options` and `address` read what is asked (pure); `model` says which entities there
are and how they hang together; `world` has those of one request; `observations` reads readings, bounded;
`answering` writes.
"""
