"""Routes of what screens show of devices: how they stand, and the limits of their rules."""
