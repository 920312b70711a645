"""Checks of what processes do, and of what they leave in the database.

Each is asked by `nabd.doctor.database`. Must not know brokers, files or certificates.
"""
