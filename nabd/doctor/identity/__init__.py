"""Checks of what devices sign in with: certificates, what the broker was given, and who is refused."""
