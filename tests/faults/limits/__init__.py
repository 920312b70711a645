"""Devices that send more than they may, and what their neighbours notice of it."""
