-- Hours and days count cycles now: those of all readings that are stored are made anew, as after the first upgrade.
DELETE FROM rollup_backfill;
