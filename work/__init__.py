"""Work orders: who goes to a device, until when, and what they found and did there; figures about it.

Follows what happens to alerts by reading their tables; holds alerts of a device under work back by a row that
`alerts` owns. The condition belongs to readings: no work order ends an alert. Must not know how rules judge,
how people are told, nor HTTP.
"""
