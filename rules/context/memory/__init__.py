"""A device's own past in constant size: what was before, how often, how long unmoved. Pure."""
