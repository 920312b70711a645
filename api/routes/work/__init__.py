"""Work of people on devices, and the figures about it."""
