"""Browsers of people that take messages (Web Push). Must not know what is sent, nor how."""
