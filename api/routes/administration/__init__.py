"""What an administrator does without a terminal: lists of devices, quarantine, the platform's state."""
