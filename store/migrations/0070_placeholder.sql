-- Holds the number of a migration that comes with another change; goes when that one is merged.
SELECT 1;
