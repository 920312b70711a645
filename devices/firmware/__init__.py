"""Firmware: signed images, who may fetch them, and rollouts, which bring them to devices stage by stage.

Knows no HTTP and no alerts: whether devices raise alerts, a rollout is told.
"""
