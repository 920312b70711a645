"""Commands about the ground of municipalities: their districts and streets."""
