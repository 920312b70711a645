"""Commands of `nabd device` about its life and its hardware, and how a device is printed."""
