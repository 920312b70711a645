"""Commands about work of people on devices, and the figures about it."""
