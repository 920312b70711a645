"""What it costs to read foreign devices: by declarative profiles, and by JavaScript in its own process."""
