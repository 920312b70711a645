"""What a receiver reads, in their language, digits and time zone. Pure. Must not know how it is sent."""
