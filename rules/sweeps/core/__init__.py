"""What each family of sweep rules decides, on arrays. Pure; where the arrays come from is not known here."""
