"""What is registered, and how that changes: municipalities and devices. No reading is read here."""
