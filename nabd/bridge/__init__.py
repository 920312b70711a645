"""The process `nabd bridge`: hears brokers of others, and acknowledges there what ingest has committed here.

Must not know the tables of readings: what it hears goes to our own broker, as a registered gateway's.
"""
