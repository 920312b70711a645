"""Alerts reach people: who is told what, by which channel, and what became of it.

Rooms: `routing` decides who is told and when; `texts` writes what they read; `channels` hands it over;
`outbox` follows what happens to alerts and keeps every delivery. Must not know HTTP routes, nor how
conditions are judged.
"""
