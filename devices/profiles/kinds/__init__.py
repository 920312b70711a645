"""Kinds that shipped profiles are for, as declarations to copy into NABD_KINDS_DIR. No Python lives here."""
