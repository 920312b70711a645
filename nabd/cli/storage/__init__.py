"""`nabd store` and `nabd export`: what is stored, and readings as files."""
