"""Commands about work orders."""
