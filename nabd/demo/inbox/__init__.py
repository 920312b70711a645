"""The demo's own inbox: takes what would have been sent, on loopback, and shows it on one page.

Nothing leaves this machine. Must not know who is told when, nor what is simulated.
"""
