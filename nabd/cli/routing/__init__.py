"""Commands about whom alerts are told."""
