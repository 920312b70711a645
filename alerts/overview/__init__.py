"""How many devices are how, and where: for maps."""
