"""The alert itself: its transitions, its record, the queue people work through, what stands behind what.

Below rules: it is told what changed and knows no condition. Never MQTT, never HTTP.
"""
