"""What simulated devices really do: one file per noun, stepped in simulated time from a seed.

Ground truth lives here; what a device reports is a noisy view of it. Nothing here knows MQTT, the wall
clock, or any rule.
"""
