"""How many devices are how, and where: for maps and for the numbers above them."""
