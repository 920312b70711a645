"""Readings that people enter by hand: what a form takes, and who entered what, when and with which note.

Nothing here writes readings: what is kept here is sent to ingest, as `HandReading.element`. Above the other
modules of readings, which know nothing of it.
"""
