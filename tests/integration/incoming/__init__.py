"""Readings that devices and platforms post, down to the rows and back to the answer."""
