"""What hostile clients, devices and rules do, and what must go on meanwhile. One file a surface."""
