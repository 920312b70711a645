"""What notifications keep: storms of alerts against a real receiver, and a notifier that is killed."""
