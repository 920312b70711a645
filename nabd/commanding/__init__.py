"""What the platform tells devices by itself: the follower that hands commands to the broker, and rollouts.

Decides nothing: what is due, and when a rollout stops, stands in devices.
"""
