"""A made-up town as vector tiles in one file, so that the demo's map has a coast, fields and houses."""
