"""Functions of a device's own past, in constant size: last value, counts, flatness, slots. Pure."""
